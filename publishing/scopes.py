"""Scopes of marts: the rows that a run for a window replaces.

The models apply them in schema build (dbt_project/macros/scopes.sql), publication in schema marts.
"""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final

from warehouse.window import ONE_DAY, Window, first_of_next_month, monday_of


class Scope(StrEnum):
    """The rows of a mart that a run for a window replaces."""

    # The days of the window.
    DAY = "day"
    # The weeks (by their Monday) or months (by their first day) that the window touches, and the next one, whose growth
    # looks back at them.
    WEEK = "week"
    MONTH = "month"
    # Everything.
    SNAPSHOT = "snapshot"
    # The rows of some keys. Schema build holds the new rows of these keys alone; a row without a date is a deletion.
    KEYS = "keys"


def scope_of(node: Mapping[str, Any]) -> Scope:
    """Return the scope of a model of dbt's manifest. Raises ValueError when it names an unknown one."""
    return Scope(node["config"].get("meta", {}).get("scope", Scope.DAY))


# dbt's selection of the rollups, which read published days and the days of the whole run, not of a chunk. One argument,
# because dagster_dbt takes no more after an option.
ROLLUP_SELECTOR: Final = " ".join(f"config.meta.scope:{scope}" for scope in Scope if scope is not Scope.DAY)


def replaced(scope: Scope, window: Window) -> Window | None:
    """Return the dates of the rows that a run for the window replaces; None for all rows, or those of some keys."""
    last = window.end - ONE_DAY
    if scope is Scope.DAY:
        return window
    if scope is Scope.WEEK:
        return Window(monday_of(window.start), monday_of(last) + timedelta(days=14))
    if scope is Scope.MONTH:
        return Window(window.start.replace(day=1), first_of_next_month(first_of_next_month(last)))
    return None
