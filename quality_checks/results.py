"""Records of outcomes in ops.check_results, which publication reads before it moves rows; and the days that fail."""

import json
from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import Final

import psycopg

from quality_checks.outcome import CheckOutcome
from quality_checks.overrides import recorded_value
from warehouse.single_values import value_of
from warehouse.upserts import upsert
from warehouse.window import Window

# A check that runs again for the same build and window replaces its own result and no other.
_RECORD: Final = upsert(
    "ops.check_results",
    ("build_id", "check_name", "window_start", "window_end"),
    ("severity", "is_passed", "observed", "bad_days", "covers_all_days", "change_id"),
    renewed=["checked_at"],
)


def record(
    connection: psycopg.Connection,
    outcomes: Sequence[CheckOutcome],
    *,
    build_id: str,
    window: Window,
    change_id: int | None = None,
) -> None:
    """Record these outcomes of a build's window in one transaction, all or none.

    `change_id` is the last change of raw when the checks began, by default the last one of all. The sample is stored
    inside `observed`, under the key `sample`. Raises ValueError when two outcomes have one name: the second could
    overwrite a failure.
    """
    repeated = [name for name, count in Counter(outcome.name for outcome in outcomes).items() if count > 1]
    if repeated:
        raise ValueError(f"each check is recorded once a build and window, but these came twice: {repeated}")
    if change_id is None:
        change_id = value_of(connection, "select ops.last_change_id()")
    rows = [
        (
            build_id, outcome.name, window.start, window.end, outcome.severity.value, outcome.passed,
            json.dumps(recorded_value(outcome)), list(outcome.days),
            outcome.covers_all_days, change_id,
        )
        for outcome in outcomes
    ]  # fmt: skip
    with connection.transaction(), connection.cursor() as cursor:
        cursor.executemany(_RECORD, rows)


def failing_days(connection: psycopg.Connection, *, outside: Window) -> dict[str, list[date]]:
    """Return the days outside a window whose last result is a failure, by check."""
    rows = connection.execute(
        """
        select check_name, day
        from ops.check_states, unnest(failing_days) as day
        where day < %s or day >= %s
        order by check_name, day
        """,
        [outside.start, outside.end],
    )
    failing: dict[str, list[date]] = {}
    for name, day in rows:
        failing.setdefault(name, []).append(day)
    return failing
