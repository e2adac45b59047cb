"""Event days that a load has changed, by which all later layers are rebuilt."""

from datetime import date

from tests.integration.ingestion.loading.raw_tables import RawTables, event

FIRST = date(2026, 10, 1)
DAY = date(2026, 10, 2)
NEXT_DAY = date(2026, 10, 3)


def test_a_load_changes_the_days_of_its_events_and_no_others(raw: RawTables) -> None:
    raw.land(DAY, [event("a", "2026-10-01T10:00:00Z"), event("b"), "no JSON"])
    assert raw.load(DAY).event_dates == (FIRST, DAY)
    assert raw.changed_days() == {FIRST, DAY}


def test_only_the_days_that_a_correction_changes_have_changed(raw: RawTables) -> None:
    raw.land(NEXT_DAY, [event("a", "2026-10-01T10:00:00Z"), event("b"), event("c", "2026-10-03T10:00:00Z")])
    raw.load(NEXT_DAY)
    last_change = raw.last_change()
    raw.land(NEXT_DAY, [event("b", props={"revenueCents": 1}), event("a", "2026-10-01T10:00:00Z"), "no JSON"])
    raw.load(NEXT_DAY)
    assert raw.changed_days(last_change) == {DAY, NEXT_DAY}


def test_copies_that_lose_and_lines_that_are_rejected_change_no_day(raw: RawTables) -> None:
    raw.land(DAY, [event("a")])
    raw.load(DAY)
    last_change = raw.last_change()
    raw.land(NEXT_DAY, [event("a", props={"revenueCents": 1}), "no JSON", {**event("b"), "source": "nowhere"}])
    raw.load(NEXT_DAY)
    assert raw.changed_days(last_change) == set()


def test_an_equal_copy_in_the_place_of_another_changes_no_day(raw: RawTables) -> None:
    same = event("a", receivedAt="2026-10-02T10:00:05Z", actorId="u", anonymousId="v")
    raw.land(DAY, [same], "first.ndjson")
    raw.land(DAY, [same], "second.ndjson")
    raw.load(DAY)
    last_change = raw.last_change()
    raw.land(DAY, [], "first.ndjson")
    raw.load(DAY)
    assert raw.rows("select file from raw.events inner join ops.loads using (load_id)") == [
        ("events/dt=2026-10-02/second.ndjson",)
    ]
    assert raw.changed_days(last_change) == set()


def test_a_better_copy_changes_the_day_though_its_key_stays(raw: RawTables) -> None:
    raw.land(NEXT_DAY, [event("a")])
    raw.load(NEXT_DAY)
    last_change = raw.last_change()
    raw.land(DAY, [event("a")])
    raw.load(DAY)
    assert raw.changed_days(last_change) == {DAY}


def test_a_withdrawn_event_changes_its_day(raw: RawTables) -> None:
    raw.land(NEXT_DAY, [event("a"), event("b", "2026-10-03T10:00:00Z")])
    raw.load(NEXT_DAY)
    last_change = raw.last_change()
    raw.land(NEXT_DAY, [event("b", "2026-10-03T10:00:00Z")])
    report = raw.load(NEXT_DAY)
    assert raw.changed_days(last_change) == {DAY}
    assert DAY in report.event_dates
