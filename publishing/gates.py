"""Gates: the checks that a window has to pass before dbt reads raw and before marts are published, and their runs."""

from collections.abc import Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from datetime import date
from typing import Final

import psycopg

from publishing import applied_models
from publishing import dashboard_checks as dashboard_checks  # registers checks
from publishing import plan_check as plan_check  # registers a check
from publishing import rerun_check as rerun_check  # registers a check
from publishing.dbt_tests import DBT_TESTS as DBT_TESTS
from publishing.stale_days import windows_of
from quality_checks import overrides
from quality_checks.expectations import run_suites
from quality_checks.outcome import CheckOutcome
from quality_checks.queries import nothing_published
from quality_checks.registry import Check, Gate, RuleCheck, checks
from quality_checks.results import record
from quality_checks.suite import Suite
from warehouse.single_values import value_of
from warehouse.window import Window

RAW_CHECKS: Final = tuple(check for check in checks() if check.gate is Gate.RAW)
# Several read marts, seeds and the product's tables, which a new warehouse has only after its first build.
BUILD_CHECKS: Final = tuple(check for check in checks() if check.gate is Gate.BUILD)

# Run as bi_reader, after publication.
DASHBOARD_CHECKS: Final = tuple(check for check in checks() if check.gate is Gate.READ)

# The names of the checks that publication requires.
RAW_GATE: Final = tuple(check.name for check in RAW_CHECKS if check.is_blocking)
BUILD_GATE: Final = (DBT_TESTS, *(check.name for check in BUILD_CHECKS if check.is_blocking))


def build_gate(not_built: Set[str]) -> tuple[str, ...]:
    """Return the names of the checks that publication requires of a build that has left out these models."""
    return (DBT_TESTS, *(check.name for check in without(BUILD_CHECKS, not_built) if check.is_blocking))


def without(checks: Sequence[Check], models: Set[str]) -> list[Check]:
    """Return the checks that read none of these models."""
    return [check for check in checks if check.reads.isdisjoint(models)]


def run_checks(
    connection: psycopg.Connection,
    window: Window,
    *,
    build_id: str,
    checks: Sequence[Check],
    sqlalchemy_url: str = "",
    left_out: Set[str] | None = None,
) -> list[CheckOutcome]:
    """Run checks on a window and record their outcomes. Suites connect by `sqlalchemy_url`.

    Checks that read a model of `left_out` are left out. By default that are the models that the window's build has left
    out: their rows are not of this build.
    """
    checks = without(checks, applied_models.not_built(connection, window) if left_out is None else left_out)
    change_id: int = value_of(connection, "select ops.last_change_id()")
    suites = [check for check in checks if isinstance(check, Suite)]
    # The suites run beside the other checks, on a connection of their own.
    with ThreadPoolExecutor(1) as thread:
        found = thread.submit(copy_context().run, run_suites, sqlalchemy_url, suites, window)
        outcomes = [check(connection, window) for check in checks if isinstance(check, RuleCheck)]
        outcomes += found.result()

    def run_for_day(name: str, day: date) -> CheckOutcome:
        [check] = [check for check in checks if check.name == name]
        if isinstance(check, RuleCheck):
            return check(connection, Window.day(day))
        return run_suites(sqlalchemy_url, [check for check in suites if check.name == name], Window.day(day))[0]

    outcomes = overrides.apply(connection, outcomes, window, run_for_day)
    record(connection, outcomes, build_id=build_id, window=window, change_id=change_id)
    _check_again(connection, window, checks, build_id=build_id, change_id=change_id)
    return outcomes


def _check_again(
    connection: psycopg.Connection, window: Window, checks: Sequence[Check], *, build_id: str, change_id: int
) -> None:
    """Record results for published days outside the window that may change with it. They hold nothing back."""
    for check in checks:
        if isinstance(check, RuleCheck) and check.also_checks is not None:
            for again in windows_of(check.also_checks(connection, window)):
                outcome = check(connection, again)
                record(connection, [outcome], build_id=build_id, window=again, change_id=change_id)


class UnknownCheck(Exception):
    """A name that no check of the gates has which can be overruled."""


def override(connection: psycopg.Connection, day: date, names: Sequence[str], *, reason: str, name: str) -> None:
    """Record that a person overrules checks for a day. Raises UnknownCheck, and InvalidOverride of quality_checks."""
    known = {check.name for check in (*RAW_CHECKS, *BUILD_CHECKS) if check.is_blocking}
    if not names:
        raise UnknownCheck(f"{day} was not published: name the checks to overrule")
    if unknown := [name for name in names if name not in known]:
        raise UnknownCheck(
            f"{day} was not published: no blocking check has the name {', '.join(unknown)}; `warehouse checks` lists"
            f" them. {DBT_TESTS} cannot be overruled, since a build with a failed test is not complete"
        )
    overrides.record(connection, [overrides.Override(day, check, reason, name) for check in dict.fromkeys(names)])


def checks_of(models: Set[str]) -> list[Check]:
    """Return the blocking checks that read one of these models."""
    return [check for check in BUILD_CHECKS if check.is_blocking and not check.reads.isdisjoint(models)]


def run_checks_of_swap(
    connection: psycopg.Connection, window: Window, checks: Sequence[Check], *, build_id: str, sqlalchemy_url: str
) -> list[CheckOutcome]:
    """Run checks on all published days, as schema build has them at the end of a plan."""
    with nothing_published():
        return run_checks(
            connection, window, build_id=build_id, checks=checks, sqlalchemy_url=sqlalchemy_url, left_out=frozenset()
        )
