"""The registry of checks: one declaration each, beside the rule."""

from datetime import date
from typing import Any

import pytest

from publishing import gates
from quality_checks import registry
from quality_checks.outcome import Finding, Severity
from quality_checks.registry import Gate, check, checks
from warehouse.window import Window

WINDOW = Window.day(date(2026, 10, 1))


@pytest.fixture
def rules(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    empty: dict[str, Any] = {}
    monkeypatch.setattr(registry, "_RULES", empty)
    return empty


@pytest.mark.parametrize("days", [(), (WINDOW.start,)])
def test_an_outcome_has_the_name_of_the_function_and_the_declared_severity(
    rules: dict[str, Any], days: tuple[date, ...]
) -> None:
    @check("build/orders", severity=Severity.WARNING, threshold=0.5)
    def orders_add_up(connection: Any, window: Window) -> Finding:
        """Orders add up.

        More about it.
        """
        return Finding({"orders": 3}, days)

    outcome = orders_add_up(None, WINDOW)  # type: ignore[arg-type]
    assert (outcome.name, outcome.severity, outcome.passed, outcome.days) == (
        "orders_add_up",
        Severity.WARNING,
        not days,
        days,
    )
    assert list(rules.values()) == [orders_add_up]
    assert (orders_add_up.description, orders_add_up.threshold) == ("Orders add up.", 0.5)


def test_two_checks_of_one_name_are_refused(rules: dict[str, Any]) -> None:
    def orders_add_up(connection: Any, window: Window) -> Finding:
        return Finding({})

    check("build/orders")(orders_add_up)
    with pytest.raises(ValueError, match="orders_add_up"):
        check("raw/orders")(orders_add_up)


def test_wrong_rows_without_a_bad_day_are_refused() -> None:
    with pytest.raises(ValueError, match="bad days"):
        Finding({}, sample=({"order": 1},))


def test_every_check_is_described_and_runs_at_one_moment() -> None:
    listed = checks()
    names = [one.name for one in listed]
    assert len(set(names)) == len(names)
    assert all(one.description for one in listed)
    assert {one.asset for one in listed if one.gate is Gate.RAW} == {"raw/events"}
    assert {one.name for one in listed} == {
        one.name for one in (*gates.RAW_CHECKS, *gates.BUILD_CHECKS, *gates.DASHBOARD_CHECKS)
    }
