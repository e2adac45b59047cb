"""The ledger against the rows of raw: good rows pass, and each kind of damage is found on its day."""

from collections.abc import Callable
from datetime import date

import psycopg
import pytest

from quality_checks.loads import landing_days_have_files, load_counts_add_up, rejection_rate_below_threshold
from quality_checks.outcome import Severity
from tests.integration.quality_checks.handmade import Rows
from warehouse.window import Window

DAY_0, DAY_1, DAY_2, DAY_3 = (date(2026, 9, 30), date(2026, 10, 1), date(2026, 10, 2), date(2026, 10, 3))
WINDOW = Window(DAY_1, DAY_3)


@pytest.fixture
def loaded(rows: Rows) -> Rows:
    """A load of each day of the window, and on the day after it one that holds the last day's last event."""
    rows.load(1, DAY_1, lines_read=5, accepted=2, rejected=1, duplicates=1, not_tracked=1, event_dates=[DAY_0, DAY_1])
    rows.event("2026-09-30T23:59:59", load_id=1)
    rows.event("2026-10-01T08:00:00", load_id=1)
    rows.rejected(1)
    rows.duplicate(1, DAY_1)
    rows.load(2, DAY_2, lines_read=1, accepted=1, event_dates=[DAY_2])
    rows.event("2026-10-02T08:00:00", load_id=2)
    rows.load(3, DAY_3, lines_read=1, accepted=1, event_dates=[DAY_2])
    rows.event("2026-10-02T23:59:58", load_id=3)
    return rows


def test_loads_whose_counts_add_up_pass(loaded: Rows, connection: psycopg.Connection) -> None:
    outcome = load_counts_add_up(connection, WINDOW)
    assert (outcome.passed, outcome.severity, outcome.days) == (True, Severity.ERROR, ())
    assert outcome.observed == {
        "loads": 3,
        "lines_read": 7,
        "accepted": 4,
        "rejected": 1,
        "duplicates": 1,
        "not_tracked": 1,
        "erased": 0,
        "wrong_counts": 0,
    }


def test_a_warehouse_without_loads_has_nothing_that_does_not_add_up(rows: Rows, connection: psycopg.Connection) -> None:
    assert load_counts_add_up(connection, WINDOW).passed


DAMAGE: dict[str, tuple[Callable[[Rows], object], list[str], tuple[date, ...]]] = {
    "a line that no count holds": (
        lambda rows: rows.execute("update ops.loads set lines_read = 2 where load_id = 2"),
        ["lines_read = accepted + rejected + duplicates + not_tracked + erased"],
        (DAY_2,),
    ),
    "an event that vanished": (
        lambda rows: rows.execute("delete from raw.events where load_id = 2"),
        ["accepted = rows in raw.events"],
        (DAY_2,),
    ),
    "an event that vanished from a day before the window, of a load that touched the window": (
        lambda rows: rows.execute("delete from raw.events where event_date = '2026-09-30'"),
        ["accepted = rows in raw.events"],
        (DAY_1,),
    ),
    "an event that appeared": (
        lambda rows: rows.event("2026-10-02T09:00:00", load_id=2),
        ["accepted = rows in raw.events"],
        (DAY_2,),
    ),
    "a rejection that vanished": (
        lambda rows: rows.execute("delete from raw.rejected_events"),
        ["rejected = rows in raw.rejected_events"],
        (DAY_1,),
    ),
    "a rejection that appeared": (
        lambda rows: rows.rejected(2),
        ["rejected = rows in raw.rejected_events"],
        (DAY_2,),
    ),
    "a duplicate that vanished": (
        lambda rows: rows.execute("delete from raw.duplicate_events"),
        ["duplicates = rows in raw.duplicate_events"],
        (DAY_1,),
    ),
    "a row of a version that was replaced": (
        lambda rows: (
            rows.load(4, DAY_2, lines_read=2, accepted=2, event_dates=[DAY_2], replaced_by=2),
            rows.event("2026-10-02T09:00:00", load_id=4),
        ),
        ["accepted = rows in raw.events"],
        (DAY_2,),
    ),
    "an event of a load that the ledger does not know": (
        lambda rows: rows.event("2026-10-01T09:00:00", load_id=99),
        ["events come from a load of the ledger"],
        (DAY_1,),
    ),
    "a load of the day after the window that accepted nothing and lost its rejection": (
        lambda rows: rows.load(4, DAY_3, lines_read=1, rejected=1),
        ["rejected = rows in raw.rejected_events"],
        (DAY_2,),
    ),
    "a late load that landed long after the window": (
        lambda rows: rows.load(4, date(2026, 10, 15), lines_read=1, accepted=1, event_dates=[DAY_1]),
        ["accepted = rows in raw.events"],
        (DAY_1,),
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_count_that_does_not_add_up_fails_on_the_day_it_touches(
    damage: str, loaded: Rows, connection: psycopg.Connection
) -> None:
    apply, rules, bad_days = DAMAGE[damage]
    apply(loaded)
    outcome = load_counts_add_up(connection, WINDOW)
    assert outcome.blocks
    assert [row["rule"] for row in outcome.sample] == rules
    assert outcome.days == bad_days


def test_a_version_that_was_replaced_holds_no_rows_and_passes(loaded: Rows, connection: psycopg.Connection) -> None:
    loaded.load(4, DAY_2, lines_read=2, accepted=2, event_dates=[DAY_2], replaced_by=2)
    assert load_counts_add_up(connection, WINDOW).passed


def test_loads_that_neither_landed_near_the_window_nor_touched_it_are_not_judged(
    loaded: Rows, connection: psycopg.Connection
) -> None:
    loaded.load(4, DAY_0, lines_read=9, event_dates=[DAY_0])
    loaded.load(5, date(2026, 10, 4), lines_read=9, event_dates=[DAY_3])
    assert load_counts_add_up(connection, WINDOW).passed


def test_a_landing_day_without_a_file_is_a_warning(loaded: Rows, connection: psycopg.Connection) -> None:
    assert landing_days_have_files(connection, WINDOW).passed
    longer = landing_days_have_files(connection, Window(DAY_0, date(2026, 10, 5)))
    assert (longer.passed, longer.severity) == (False, Severity.WARNING)
    assert longer.days == (DAY_0, date(2026, 10, 4))


def test_a_landing_day_whose_only_file_is_empty_has_a_file(rows: Rows, connection: psycopg.Connection) -> None:
    rows.load(1, DAY_1)
    assert landing_days_have_files(connection, Window.day(DAY_1)).passed


@pytest.mark.parametrize(("rejected", "passed"), [(5, True), (6, False)])
def test_more_than_the_allowed_share_of_rejections_is_a_warning(
    rejected: int, passed: bool, rows: Rows, connection: psycopg.Connection
) -> None:
    rows.load(1, DAY_1, lines_read=60, rejected=rejected)
    rows.load(2, DAY_1, lines_read=40)
    rows.load(3, DAY_1, lines_read=100, rejected=100, replaced_by=1)
    rows.load(4, DAY_2, lines_read=1000)
    outcome = rejection_rate_below_threshold(connection, WINDOW)
    assert (outcome.passed, outcome.severity) == (passed, Severity.WARNING)
    assert outcome.days == (() if passed else (DAY_1,))


def test_rejections_of_the_day_after_the_window_are_not_judged(rows: Rows, connection: psycopg.Connection) -> None:
    rows.load(1, DAY_3, lines_read=1, rejected=1)
    assert rejection_rate_below_threshold(connection, WINDOW).passed
