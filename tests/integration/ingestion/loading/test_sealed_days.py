"""Sealed days at the door: their events are rejected and counted, and their rows stay, whatever happens to files."""

from datetime import date

import pytest

from ingestion.loading.replay import Selection, replay_rejected
from quality_checks.loads import load_counts_add_up
from tests.integration.ingestion.loading.raw_tables import RawTables, event
from tests.support.pipeline import START
from warehouse import retention
from warehouse.window import ONE_DAY, Window

SEALED, OPEN = date(2026, 10, 2), date(2026, 10, 3)
BOTH = Window(SEALED, OPEN + ONE_DAY)
LAST_SEALED_INSTANT, FIRST_OPEN_INSTANT = f"{SEALED}T23:59:59.999999Z", f"{OPEN}T00:00:00Z"


def stored(raw: RawTables) -> list[tuple[object, ...]]:
    return raw.rows("select event_date, event_key from raw.events order by 1, 2")


def reasons(raw: RawTables) -> list[list[str]]:
    return [found for (found,) in raw.rows("select reasons from raw.rejected_events order by load_id, line_number")]


def assert_counts_add_up(raw: RawTables) -> None:
    assert load_counts_add_up(raw.pipeline.connection, BOTH).passed


@pytest.fixture
def sealed(raw: RawTables) -> RawTables:
    """A landing day with events of the day before it, which is sealed afterwards."""
    late = [event("late", LAST_SEALED_INSTANT), event("late", LAST_SEALED_INSTANT, props={"revenueCents": 1})]
    raw.land(OPEN, [*late, event("new", FIRST_OPEN_INSTANT), "no JSON"])
    raw.load(OPEN)
    assert stored(raw) == [(SEALED, "late"), (OPEN, "new")]
    retention.seal(raw.pipeline.connection, OPEN)
    return raw


def test_an_event_of_a_sealed_day_is_rejected_and_counted(sealed: RawTables) -> None:
    sealed.land(
        OPEN,
        [
            event("later", LAST_SEALED_INSTANT),
            event("newer", FIRST_OPEN_INSTANT),
            event("both", f"{SEALED}T10:00:00Z", actorId=7),
        ],
        "part-1.ndjson",
    )
    report = sealed.load(OPEN)
    assert (report.lines_read, report.accepted, report.rejected, report.event_dates) == (3, 1, 2, (OPEN,))
    assert reasons(sealed)[1:] == [["sealed_day"], ["actorId: not a text of 1 to 255 characters", "sealed_day"]]
    assert stored(sealed) == [(SEALED, "late"), (OPEN, "new"), (OPEN, "newer")]
    assert_counts_add_up(sealed)


def test_a_corrected_file_changes_no_row_of_a_sealed_day(sealed: RawTables) -> None:
    duplicates = sealed.rows("select event_date, event_key, line_number from raw.duplicate_events")
    assert len(duplicates) == 1
    sealed.land(OPEN, [event("late", LAST_SEALED_INSTANT, props={"revenueCents": 9}), event("new", FIRST_OPEN_INSTANT)])
    report = sealed.load(OPEN)
    assert (report.lines_read, report.accepted, report.rejected, report.event_dates) == (2, 1, 1, (OPEN,))
    assert stored(sealed) == [(SEALED, "late"), (OPEN, "new")]
    assert sealed.rows("select revenue_cents from raw.events where event_key = 'late'") == [(None,)]
    assert sealed.rows("select event_date, event_key, line_number from raw.duplicate_events") == duplicates
    assert sealed.rows("select * from ops.stale_day_marks where event_date < %s", OPEN) == []
    assert_counts_add_up(sealed)


def test_a_file_that_loses_all_lines_leaves_the_sealed_day_as_it_is(sealed: RawTables) -> None:
    sealed.land(OPEN, [])
    sealed.load(OPEN)
    assert stored(sealed) == [(SEALED, "late")]
    assert_counts_add_up(sealed)


def test_a_replay_brings_in_no_event_of_a_sealed_day(sealed: RawTables) -> None:
    sealed.land(OPEN, [event("later", LAST_SEALED_INSTANT)], "part-1.ndjson")
    sealed.load(OPEN)
    before = sealed.everything()
    [report] = replay_rejected(
        sealed.pipeline.connection, root=sealed.landing, start_date=START, selection=Selection(reason="sealed_day")
    )
    assert (report.lines_read, report.usable, report.still_rejected) == (1, 0, 1)
    assert sealed.everything() == before


def test_an_event_before_the_first_day_is_no_event_of_a_sealed_day(sealed: RawTables) -> None:
    sealed.land(OPEN, [event("early", "2026-09-30T23:59:59Z")], "part-1.ndjson")
    sealed.load(OPEN)
    assert reasons(sealed)[-1] == ["occurredAt: before the warehouse's start date"]


def test_the_boundary_moves_forward_only(raw: RawTables) -> None:
    connection = raw.pipeline.connection
    assert retention.sealed_before(connection) is None
    assert retention.seal(connection, OPEN) == OPEN
    assert retention.seal(connection, SEALED) == OPEN
    assert retention.sealed_before(connection) == OPEN
    assert raw.rows("select ops.sealed_before(), visitor_days_from from ops.retention") == [(OPEN, date(2026, 9, 28))]


def test_files_of_a_sealed_landing_day_are_not_loaded_any_more(sealed: RawTables) -> None:
    sealed.land(SEALED, [event("newer", FIRST_OPEN_INSTANT)])
    report = sealed.load(SEALED)
    assert (report.is_sealed, report.loaded) == (True, ())
    assert stored(sealed) == [(SEALED, "late"), (OPEN, "new")]
