"""ops.check_results: what publication will read."""

from datetime import date

import psycopg
import pytest

from ingestion.window import Window
from quality_checks.outcome import CheckOutcome, Severity
from quality_checks.results import record
from tests.integration.quality_checks.handmade import Rows

WINDOW = Window(date(2026, 10, 1), date(2026, 10, 4))
PASSED = CheckOutcome("counts_add_up", True, Severity.ERROR, {"rows": 3})
FAILED = CheckOutcome(
    "counts_add_up", False, Severity.ERROR, {"rows": 3}, (date(2026, 10, 2),), ({"raw": 1, "built": 2},)
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
