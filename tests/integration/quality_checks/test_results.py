"""ops.check_results: what publication will read."""

from dataclasses import replace
from datetime import date

import dagster as dg
import psycopg
import pytest

from orchestration import asset_checks
from publishing.stale_days import refused_days
from quality_checks.outcome import CheckOutcome, Severity
from quality_checks.results import failing_days, record
from tests.integration.quality_checks.handmade import Rows
from warehouse.window import Window

WINDOW = Window(date(2026, 10, 1), date(2026, 10, 4))
PASSED = CheckOutcome({"rows": 3}, name="counts_add_up", severity=Severity.ERROR)
FAILED = CheckOutcome(
    {"rows": 3}, (date(2026, 10, 2),), ({"raw": 1, "built": 2},), name="counts_add_up", severity=Severity.ERROR
)


def recorded(connection: psycopg.Connection) -> list[tuple[object, ...]]:
    return connection.execute(
        "select build_id, check_name, window_start, window_end, severity, is_passed, observed, bad_days"
        " from ops.check_results order by build_id, check_name"
    ).fetchall()


def test_an_outcome_is_recorded_with_its_days_and_sample(rows: Rows, connection: psycopg.Connection) -> None:
    record(connection, [FAILED], build_id="b1", window=WINDOW)
    assert recorded(connection) == [
        (
            "b1",
            "counts_add_up",
            date(2026, 10, 1),
            date(2026, 10, 4),
            "error",
            False,
            {"rows": 3, "sample": [{"raw": 1, "built": 2}]},
            [date(2026, 10, 2)],
        )
    ]


def test_a_check_that_runs_again_replaces_its_own_result_and_no_other(
    rows: Rows, connection: psycopg.Connection
) -> None:
    record(connection, [FAILED], build_id="b1", window=WINDOW)
    record(connection, [FAILED], build_id="b2", window=WINDOW)
    record(connection, [PASSED], build_id="b1", window=WINDOW)
    assert [(row[0], row[5], row[7]) for row in recorded(connection)] == [
        ("b1", True, []),
        ("b2", False, [date(2026, 10, 2)]),
    ]


def test_two_outcomes_of_one_name_are_refused_and_nothing_is_written(
    rows: Rows, connection: psycopg.Connection
) -> None:
    with pytest.raises(ValueError, match="counts_add_up"):
        record(connection, [FAILED, PASSED], build_id="b1", window=WINDOW)
    assert recorded(connection) == []


def state(connection: psycopg.Connection) -> list[tuple[object, ...]]:
    return connection.execute("select check_name, is_passing, failing_days from ops.check_states order by 1").fetchall()


def test_a_day_that_failed_fails_until_it_is_checked_again(rows: Rows, connection: psycopg.Connection) -> None:
    first, second, third = (Window.day(date(2026, 10, day)) for day in (1, 2, 3))
    record(connection, [FAILED], build_id="b1", window=WINDOW)
    record(connection, [PASSED], build_id="b2", window=third)
    record(connection, [PASSED], build_id="b3", window=first)
    assert state(connection) == [("counts_add_up", False, [second.start])]
    assert failing_days(connection, outside=third) == {"counts_add_up": [second.start]}
    assert failing_days(connection, outside=second) == {}, "the outcome of a run covers its own days"
    record(connection, [PASSED], build_id="b4", window=second)
    assert state(connection) == [("counts_add_up", True, [])]


def test_a_check_of_all_days_fails_for_no_day_once_it_passes(rows: Rows, connection: psycopg.Connection) -> None:
    record(connection, [replace(FAILED, covers_all_days=True)], build_id="b1", window=WINDOW)
    assert state(connection) == [("counts_add_up", False, [date(2026, 10, 2)])]
    assert refused_days(connection) == {date(2026, 10, 2)}
    record(connection, [replace(PASSED, covers_all_days=True)], build_id="b2", window=Window.day(date(2026, 10, 9)))
    assert state(connection) == [("counts_add_up", True, [])]
    assert refused_days(connection) == set(), "no run has to leave the day out"


def test_a_check_that_passes_for_a_run_warns_of_the_days_that_still_fail() -> None:
    check = dg.AssetCheckKey(dg.AssetKey(["raw", "events"]), "counts_add_up")
    failing = {"counts_add_up": [date(2026, 10, 2)]}
    [shown] = asset_checks.results([PASSED], [check], failing)
    assert (shown.passed, shown.severity) == (False, dg.AssetCheckSeverity.WARN), "and holds nothing back"
    assert shown.description == "1 other days still fail: 2026-10-02"
    [shown] = asset_checks.results([replace(PASSED, covers_all_days=True)], [check], failing)
    assert shown.passed
    [shown] = asset_checks.results([FAILED], [check], {})
    assert (shown.passed, shown.severity) == (False, dg.AssetCheckSeverity.ERROR)
