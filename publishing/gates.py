"""Gates: the checks that a window has to pass before dbt reads raw and before marts are published, and their runs."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Final

import psycopg

from publishing import rerun_check as rerun_check  # registers a check
from quality_checks.expectations import run_suites
from quality_checks.outcome import CheckOutcome, Severity
from quality_checks.registry import Check, Gate, RuleCheck, checks
from quality_checks.results import record
from quality_checks.suite import Suite
from warehouse.window import Window

RAW_CHECKS: Final = tuple(check for check in checks() if check.gate is Gate.RAW)
# Several read marts, seeds and the product's tables, which a new warehouse has only after its first build.
BUILD_CHECKS: Final = tuple(check for check in checks() if check.gate is Gate.BUILD)

# The result of dbt's own tests, which run while dbt builds.
DBT_TESTS: Final = "dbt_tests_pass"

# The names of the checks that publication requires.
RAW_GATE: Final = tuple(check.name for check in RAW_CHECKS if check.is_blocking)
BUILD_GATE: Final = (DBT_TESTS, *(check.name for check in BUILD_CHECKS if check.is_blocking))


def run_checks(
    connection: psycopg.Connection,
    window: Window,
    *,
    build_id: str,
    checks: Sequence[Check],
    sqlalchemy_url: str = "",
) -> list[CheckOutcome]:
    """Run checks on a window and record their outcomes. Suites connect by `sqlalchemy_url`."""
    (change_id,) = connection.execute("select ops.last_change_id()").fetchone() or (None,)
    suites = [check for check in checks if isinstance(check, Suite)]
    # The suites run beside the other checks, on a connection of their own.
    with ThreadPoolExecutor(1) as thread:
        found = thread.submit(copy_context().run, run_suites, sqlalchemy_url, suites, window)
        outcomes = [check(connection, window) for check in checks if isinstance(check, RuleCheck)]
        outcomes += found.result()
    record(connection, outcomes, build_id=build_id, window=window, change_id=change_id)
    return outcomes


def record_dbt_tests(connection: psycopg.Connection, window: Window, *, build_id: str) -> None:
    """Record that every dbt test of severity error has passed. A build with a failed one ends before this."""
    outcome = CheckOutcome(DBT_TESTS, passed=True, severity=Severity.ERROR, observed={})
    record(connection, [outcome], build_id=build_id, window=window)
