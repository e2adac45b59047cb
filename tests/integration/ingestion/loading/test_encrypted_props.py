"""Encrypted props in the tables of raw: reloading changes nothing, and a rotation equals a load from scratch."""

import re
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from ingestion.encryption.props import PropEncryption
from ingestion.encryption.rotation import rotate
from ingestion.encryption.tokens import KeyRing, new_key
from ingestion.loading.landing_day import load_landing_day
from tests.integration.ingestion.loading.raw_tables import RawTables, event
from tests.support.command_line import run_command
from tests.support.pipeline import START

DAY = date(2026, 10, 2)
NEXT_DAY = date(2026, 10, 3)
OLD, NEW = new_key(), new_key()
NAMED = "legalName"
SECRETS = ("Jane Doe", "Kim Poe", "Ann Roe")

Load = Callable[[str], None]


@pytest.fixture
def load(raw: RawTables, limit_of_two: int) -> Load:
    """Loads two days, with a winner, a copy, a rejected line and limited events that all hold a named prop."""

    def load_with(keys: str) -> None:
        visitor: dict[str, Any] = {"anonymousId": "device-1", "receivedAt": "2026-10-02T10:01:00Z"}
        raw.land(
            DAY,
            [
                event("a", props={"legalName": "Jane Doe", "x": 1.50}),
                event("a", props={"legal_name": "Kim Poe", "x": 2}),
                event("no type", eventType=7, props={"legalName": "Ann Roe"}),
                *(event(f"{n}", **visitor, props={"order": {"legalName": SECRETS[n % 3], "n": n}}) for n in range(5)),
            ],
        )
        raw.land(NEXT_DAY, [event("b", "2026-10-03T10:00:00Z", props={"LegalName": {"first": "Jane Doe"}, "e": None})])
        for day in (DAY, NEXT_DAY):
            load_landing_day(
                raw.pipeline.connection,
                root=raw.landing,
                landing_date=day,
                start_date=START,
                encryption=PropEncryption.from_settings(NAMED, keys),
            )

    return load_with


def texts(raw: RawTables) -> str:
    return repr(raw.everything())


def test_no_table_holds_a_plain_value(raw: RawTables, load: Load) -> None:
    load(OLD)
    assert raw.rows(
        "select (select count(*) from raw.events), (select count(*) from raw.duplicate_events),"
        " (select count(*) from raw.rejected_events where candidate is null),"
        " (select count(*) from raw.rejected_events where candidate is not null)"
    ) == [(4, 1, 1, 3)]
    assert not [secret for secret in SECRETS if secret in texts(raw)]
    assert len(set(re.findall(r"encrypted:1:[\w:-]+", texts(raw)))) == 8


def test_loading_everything_from_scratch_gives_the_same_bytes(raw: RawTables, load: Load) -> None:
    load(OLD)
    first = raw.contents()
    raw.reset()
    load(OLD)
    assert raw.contents() == first
    raw.reset()
    load(f"{OLD},{NEW}")
    assert raw.contents() == first


def test_a_rotation_leaves_the_rows_of_a_load_under_the_new_key(raw: RawTables, load: Load) -> None:
    load(NEW)
    expected = raw.contents()
    raw.reset()
    load(OLD)
    assert raw.contents() != expected
    stale = raw.rows("table ops.stale_day_marks")

    both = KeyRing.parse(f"{NEW},{OLD}")
    report = rotate(raw.pipeline.connection, both)
    assert (report.rows, report.unreadable) == (8, 0)
    assert raw.contents() == expected
    # The old key is needed no longer, and no number can have changed.
    after = raw.everything()
    assert rotate(raw.pipeline.connection, KeyRing.parse(NEW)).rows == 0
    assert raw.everything() == after
    assert raw.rows("table ops.stale_day_marks") == stale


def test_a_copy_that_is_promoted_after_a_rotation_is_readable(raw: RawTables, load: Load) -> None:
    load(OLD)
    ((winner,),) = raw.rows("select props ->> 'x' from raw.events where event_key = 'a'")
    rotate(raw.pipeline.connection, KeyRing.parse(f"{NEW},{OLD}"))
    raw.land(
        DAY, [event("a", props={"legal_name": "Kim Poe", "x": 2} if winner == "1.5" else {"legalName": "Jane Doe"})]
    )
    load_landing_day(
        raw.pipeline.connection,
        root=raw.landing,
        landing_date=DAY,
        start_date=START,
        encryption=PropEncryption.from_settings(NAMED, NEW),
    )
    ((props,),) = raw.rows("select props from raw.events where event_key = 'a'")
    assert {KeyRing.parse(NEW).decrypt(value) for value in props.values() if isinstance(value, str)} <= set(SECRETS)


def test_values_of_a_key_that_is_not_given_stay_and_are_reported(
    raw: RawTables, load: Load, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    load(OLD)
    before = raw.everything()
    report = rotate(raw.pipeline.connection, KeyRing.parse(NEW))
    # A limited event is kept twice in its row: as it would be stored, and as text.
    assert (report.rows, report.unreadable) == (0, 11)
    assert raw.everything() == before

    for name, value in raw.pipeline.warehouse.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("WAREHOUSE_ENCRYPTION_KEY", NEW)
    assert run_command("encryption", "rotate") == 1
    assert "11 values match none of the keys" in capsys.readouterr().err
    monkeypatch.setenv("WAREHOUSE_ENCRYPTION_KEY", f"{NEW},{OLD}")
    assert run_command("encryption", "rotate") == 0
    assert "8 rows were encrypted again" in capsys.readouterr().err


def test_a_rotation_that_dies_in_a_table_goes_on_where_it_was(
    raw: RawTables, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(NEW)
    expected = raw.contents()
    raw.reset()
    load(OLD)
    keys = KeyRing.parse(f"{NEW},{OLD}")
    renew = KeyRing.renew_json
    calls = 0

    def die(self: KeyRing, text: str, unreadable: Callable[[], None]) -> str:
        nonlocal calls
        calls += 1
        if calls in (2, 5):
            raise MemoryError
        return renew(self, text, unreadable)

    monkeypatch.setattr(KeyRing, "renew_json", die)
    for _ in range(2):
        with pytest.raises(MemoryError):
            rotate(raw.pipeline.connection, keys)
    rotate(raw.pipeline.connection, keys)
    assert raw.contents() == expected
