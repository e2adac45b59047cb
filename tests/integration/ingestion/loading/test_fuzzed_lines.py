"""100,000 fuzzed lines: every one has one outcome, whatever it holds, and a good share of them goes into Postgres.

The lines are made from a seed, so a failure can be run again. Fields that some rule reads are mutated most.
"""

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

from ingestion.contract import Event
from ingestion.encryption.props import PropEncryption
from ingestion.encryption.tokens import new_key
from ingestion.landing.objects import is_json, objects_of
from ingestion.loading.landing_day import load_landing_day
from ingestion.schema import CANDIDATE_COLUMN_NAMES
from ingestion.validation.event_record import ValidEvent
from ingestion.validation.validator import LineValidator, NotTracked, RejectedLine
from tests.integration.ingestion.loading.raw_tables import RawTables
from tests.support.pipeline import START
from tests.support.stored_values import values_of

LINES = 100_000
# Every so many of them are loaded.
LOADED_SHARE = 4
SEED = 20_261_002
DAY = date(2026, 10, 2)
NAMED_PROP = "legalName"

TEXTS = (
    "", " ", "a", "asset-1", "web", "WEB", "ASSET", "license", "2026-10-02T10:00:00Z", "2026-10-02T23:59:60Z",
    "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00", "2026-10-02", "1b4e28ba-2fa1-41d2-883f-0016d3cca427",
    "https://x.example/?token=t0p&a=1", "javascript:1", "jane@example.com", "+49 151 23456789", "10.1.2.3", "\0",
    "\ud800", "😀", "\\", '"', "\u2028", "\x7f", "é" * 300, "x" * 12_000, "%s", "\\N", "\\.", "a\tb\nc", "encrypted:1:",
)  # fmt: skip
NUMBERS = (0, 1, -1, 2**31, 2**63 - 1, 2**63, -(2**63), 10**38, 10**400, 0.0005, -0.0, 1e38, 1e308, 1e-400)
KEYS = (
    "email", "userEmail", "password", "ipAddress", "ip_address", "clientIp", "userAgent", "user_agent", "revenueCents",
    "revenue_cents", "feeCents", "engagementTime", "utmSource", "utm_source", "referrer", "landingPage", "gclid",
    "doNotTrack", "do_not_track", "deviceType", "legalName", "legal_name", "query", "x", "", "\0", "\ud800", "😀",
    "a" * 300,
)  # fmt: skip
FIELDS = tuple(
    name
    for names in zip(Event.__struct_encode_fields__, Event.__struct_fields__, strict=True)
    for name in dict.fromkeys(names)
)


def value(chance: random.Random, depth: int = 0) -> Any:
    kind = chance.randrange(10 if depth < 5 else 6)
    if kind < 4:
        return chance.choice(TEXTS)
    if kind == 4:
        return chance.choice(NUMBERS)
    if kind == 5:
        return chance.choice((None, True, False))
    if kind == 6:
        return [value(chance, depth + 1) for _ in range(chance.randrange(4))]
    return {chance.choice(KEYS): value(chance, depth + 1) for _ in range(chance.randrange(4))}


def good_event(chance: random.Random, number: int) -> dict[str, Any]:
    event: dict[str, Any] = {
        "eventType": chance.choice(("asset_viewed", "page_viewed", "license_created")),
        "occurredAt": f"2026-10-0{chance.randrange(1, 3)}T{chance.randrange(24):02}:{chance.randrange(60):02}:00.5Z",
        "idempotencyKey": f"key-{chance.randrange(number + 1)}",
        "anonymousId": f"device-{chance.randrange(50)}",
        "props": {"path": "/", "revenueCents": chance.randrange(10**6), "legalName": "Jane Doe"},
        "attribution": {"utmSource": "news", "referrer": "https://x.example/"},
        "context": {"userAgent": chance.choice(("curl/8.0", "Mozilla/5.0")), "ipAddress": "10.1.2.3"},
    }
    for name in chance.sample(tuple(event)[2:], chance.randrange(4)):
        del event[name]
    return event


def mutated(chance: random.Random, number: int) -> dict[str, Any]:
    event = good_event(chance, number)
    for _ in range(chance.randrange(3)):
        target = chance.choice((event, event, event.get("props"), event.get("attribution"), event.get("context")))
        if isinstance(target, dict):
            target[chance.choice(FIELDS if target is event else KEYS)] = value(chance)
    return event


def encoded(chance: random.Random, document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=chance.random() < 0.5).encode("utf-8", "surrogatepass")


def damaged(chance: random.Random, line: bytes) -> bytes:
    """A line with some bytes cut out, doubled, replaced or put in."""
    for _ in range(chance.randrange(1, 4)):
        start = chance.randrange(len(line) + 1)
        end = min(len(line), start + chance.choice((0, 1, 1, 2, 10, 50)))
        filling = chance.choice(
            (b"", line[start:end] * 2, chance.randbytes(2), b'"', b"{", b"\\u0000", b"\0", b",", b"1e999")
        )
        line = line[:start] + filling + line[end:]
    return line


def fuzzed_lines(seed: int, count: int) -> Iterator[bytes]:
    chance = random.Random(seed)  # noqa: S311
    kinds: tuple[Callable[[int], bytes], ...] = (
        lambda number: encoded(chance, mutated(chance, number)),
        lambda number: encoded(chance, mutated(chance, number)),
        lambda number: encoded(chance, mutated(chance, number)),
        lambda number: damaged(chance, encoded(chance, mutated(chance, number))),
        lambda _: encoded(chance, value(chance)),
        lambda _: chance.randbytes(chance.randrange(1, 40)),
    )
    for number in range(count):
        # What a reader of lines gives: not blank, without line ends.
        line = chance.choice(kinds)(number).replace(b"\n", b" ")
        yield line if line.strip() else b"?"


def test_every_fuzzed_line_has_one_outcome_and_is_accounted_for(raw: RawTables) -> None:
    encryption = PropEncryption.from_settings(NAMED_PROP, new_key())
    validator = LineValidator(landing_date=DAY, start_date=START, encryption=encryption)
    outcomes: Counter[type] = Counter()
    sample: Counter[type] = Counter()
    loaded: list[bytes] = []
    for number, line in enumerate(fuzzed_lines(SEED, LINES)):
        outcome = validator.validate(line)
        outcomes[type(outcome)] += 1
        if isinstance(outcome, ValidEvent):
            assert len(values_of(outcome)) == len(CANDIDATE_COLUMN_NAMES)
        elif isinstance(outcome, RejectedLine):
            assert outcome.reasons, line
            assert outcome.line_bytes == len(line)
            assert "line: not an event of the contract" not in outcome.reasons, line
        if number % LOADED_SHARE == 0:
            loaded.append(line)
            # Damage may make two objects of one, each of which is a line of its own.
            pieces = [(1, line)] if is_json(line) else objects_of(line)
            sample.update(
                type(validator.validate(piece) if isinstance(piece, bytes) else validator.reject_unparsed(piece))
                for _, piece in pieces
            )

    # The fuzz means something: much is accepted, much is not, and people decline.
    assert set(outcomes) == {ValidEvent, RejectedLine, NotTracked}
    assert sum(outcomes.values()) == LINES
    assert min(outcomes[ValidEvent], outcomes[RejectedLine]) > LINES / 5

    raw.land(DAY, loaded, "fuzzed.ndjson.gz")
    report = load_landing_day(
        raw.pipeline.connection, root=raw.landing, landing_date=DAY, start_date=START, encryption=encryption
    )
    raw.assert_ledger_adds_up()
    limited = raw.rows("select count(*) from raw.rejected_events where candidate is not null")[0][0]
    assert len(loaded) == LINES // LOADED_SHARE
    assert report.lines_read == sum(sample.values())
    assert abs(report.lines_read - len(loaded)) < LINES / 1_000
    assert report.not_tracked == sample[NotTracked]
    assert report.rejected == sample[RejectedLine] + limited
    assert report.accepted + report.duplicates + limited == sample[ValidEvent]
    assert min(report.accepted, report.duplicates) > 100

    # What the tables hold is what the contract promises of accepted events.
    assert raw.rows(
        """
        select count(*) filter (where event_date < '2026-10-01' or event_date > '2026-10-04'
                or event_date <> (occurred_at at time zone 'UTC')::date),
            count(*) filter (where event_type !~ '^[a-z][a-z0-9_]{0,99}$'),
            count(*) filter (where source not in ('web', 'api', 'mobile', 'system', 'webhook')),
            count(*) filter (where entity_id is not null and entity_type is null),
            count(*) filter (where revenue_cents < 0 or fee_cents < 0 or engagement_time < 0),
            count(*) filter (where occurred_at > received_at + interval '24 hours'),
            count(*) filter (where jsonb_typeof(props) <> 'object')
        from raw.events
        """
    ) == [(0,) * 7]
    props = " ".join(text for (text,) in raw.rows("select props::text from raw.events"))
    for private in ("jane@example.com", "+49 151 23456789", "token=t0p"):
        assert private not in props
    # By its key, which a damaged line may have lost.
    assert not raw.rows(
        "select props from raw.events, jsonb_each_text(props)"
        " where key ~* '^legal_?name$' and value !~ '^encrypted:1:.{30}'"
    )
    assert "encrypted:1:" in props
    assert "[redacted]" in props
