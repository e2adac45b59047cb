"""Results of dbt's own tests, recorded as one check of the build gate, with the names of the tests that failed.

dbt says which test has failed for the days of an invocation, and not on which of them: all of them are bad days. Run
one by one, the good ones pass.
"""

from collections.abc import Mapping
from datetime import date
from typing import Final

import psycopg

from quality_checks.outcome import CheckOutcome, Severity
from quality_checks.results import record
from warehouse.window import Window

# The name of the check.
DBT_TESTS: Final = "dbt_tests_pass"

_FAILING: Final = """
select test, array_agg(day order by day)
from ops.check_states as states
cross join unnest(states.failing_days) as day
cross join lateral (
    select observed from ops.check_results as results
    where results.check_name = states.check_name and day = any(results.bad_days)
    order by checked_at desc
    limit 1
) as latest
cross join jsonb_object_keys(latest.observed - 'sample') as test
where states.check_name = %s and not (day >= %s and day < %s)
group by test
"""


def record_passed(connection: psycopg.Connection, window: Window, *, build_id: str) -> None:
    """Record that every dbt test of severity error has passed, at the end of a build."""
    outcome = CheckOutcome({}, name=DBT_TESTS, severity=Severity.ERROR)
    record(connection, [outcome], build_id=build_id, window=window)


def record_failed(
    connection: psycopg.Connection, window: Window, failures: Mapping[str, int], *, build_id: str
) -> None:
    """Record the tests that have failed for a window, each with its number of failures."""
    outcome = CheckOutcome(dict(failures), tuple(window.days()), name=DBT_TESTS, severity=Severity.ERROR)
    record(connection, [outcome], build_id=build_id, window=window)


def failing_days(connection: psycopg.Connection, *, outside: Window) -> dict[str, list[date]]:
    """Return the days outside a window for which each dbt test has last failed, by the name of the test."""
    return dict(connection.execute(_FAILING, [DBT_TESTS, outside.start, outside.end]).fetchall())
