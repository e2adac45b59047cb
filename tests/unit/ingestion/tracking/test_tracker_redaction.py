"""Lines of the tracker: they hold no personal data, and gives the rows that it would have given."""

# ruff: noqa: ARG002, E501 - a protocol is kept, and an event reads better in few lines

import gzip
import json
import stat
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

from ingestion.hashing import hash_email
from ingestion.tracking import LandingWriter, Tracker
from ingestion.validation.event_record import ValidEvent
from ingestion.validation.validator import LineValidator
from ingestion.validation_lists import default_rules
from tests.support.personal_data import MAX_DEPTH, encoded, plant, survives
from tests.support.stored_values import values_of

NOW = datetime(2026, 11, 8, 10, tzinfo=UTC)
KEY = "key-of-the-tests-only"
RULES = replace(default_rules(), hash_key=KEY.encode())
VALIDATOR = LineValidator(landing_date=NOW.date(), start_date=NOW.date(), rules=RULES)
AGENT = "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/128.0"


class Lines(list[bytes]):
    """A sink that keeps its lines."""

    def write(self, line: bytes, arrived_at: datetime) -> bool:
        self.append(line)
        return True

    def flush(self) -> None: ...

    def close(self) -> None: ...


def event(text: str, number: int) -> dict[str, Any]:
    return {
        "eventType": "page_viewed",
        "occurredAt": NOW.isoformat(),
        "idempotencyKey": f"key-{number}",
        "anonymousId": "device-1",
        "other": text,
        "props": {"title": text, "a": [text], "json": json.dumps({"text": text}), "token": "abc", "userAgent": AGENT},
        "attribution": {"utmTerm": text[:200], "referrer": "https://x.example/?q=" + text.replace(" ", "%20")[:4_000], "gclid": "x1", "fbclid": f"ana.maria{number}@click.example"},
        "context": {"browser": text[:200], "ipAddress": "203.0.113.9"},
    }  # fmt: skip


def test_lines_hold_nothing_personal_and_give_the_same_rows() -> None:
    rng = Random(3)  # noqa: S311
    lines = Lines()
    tracker = Tracker(lines, clock=lambda: NOW, hash_key=KEY)
    for number in range(400):
        planted = plant(rng)
        text = encoded(rng, planted.text, rng.randrange(MAX_DEPTH + 1)).replace("\n", " ")
        sent = event(text, number)
        if not tracker.track_event(sent).tracked:
            continue
        line = lines[-1]
        assert b"click.example" not in line
        assert not survives(planted.core, line.decode().replace(AGENT, "")), (text, line)
        given = VALIDATOR.validate(json.dumps(sent | {"receivedAt": NOW.isoformat(timespec="milliseconds")}).encode())
        loaded = VALIDATOR.validate(line)
        assert isinstance(given, ValidEvent)
        assert isinstance(loaded, ValidEvent)
        assert [v for v in values_of(loaded) if v != loaded.canonical_hash] == [
            v for v in values_of(given) if v != given.canonical_hash
        ]
    assert len(lines) > 300


def test_ids_that_name_persons_are_hashed_where_the_tracker_has_the_key() -> None:
    sent = event("x", 1) | {"actorId": "Ana@example.org", "anonymousId": "+49 151 23456789"}
    with_key, without = Lines(), Lines()
    Tracker(with_key, clock=lambda: NOW, hash_key=KEY).track_event(sent)
    Tracker(without, clock=lambda: NOW).track_event(sent)
    assert json.loads(with_key[0])["actorId"] == hash_email("ana@example.org", KEY.encode())
    assert json.loads(without[0])["actorId"] == "Ana@example.org"
    stored = [VALIDATOR.validate(lines[0]) for lines in (with_key, without)]
    assert isinstance(stored[0], ValidEvent)
    assert isinstance(stored[1], ValidEvent)
    assert (stored[0].actor_id, stored[0].anonymous_id) == (stored[1].actor_id, stored[1].anonymous_id)


def test_props_that_the_warehouse_encrypts_are_written_as_they_came() -> None:
    lines = Lines()
    tracker = Tracker(lines, clock=lambda: NOW, encrypted_props="taxPhone, legal_name")
    tracker.track(
        "page_viewed", props={"taxPhone": "+4915123456789", "legalName": "ana@example.org", "phone": "+4915123456789"}
    )
    assert json.loads(lines[0])["props"] == {
        "taxPhone": "+4915123456789", "legalName": "ana@example.org", "phone": "[redacted]",
    }  # fmt: skip


def test_landing_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    with Tracker(LandingWriter(tmp_path, producer="shop"), clock=lambda: NOW) as tracker:
        assert tracker.track("page_viewed", props={"note": "ana@example.org"}).tracked
    (file,) = tmp_path.rglob("*.gz")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert b"ana@" not in gzip.decompress(file.read_bytes())
