"""How much of a mart a run replaces, by the mart's scope: what replace_window does in schema build (macros/scopes.sql),
publication does in schema marts.
"""

from datetime import timedelta
from enum import StrEnum
from typing import Final

from warehouse.window import ONE_DAY, Window, first_of_next_month, monday_of


class Scope(StrEnum):
    """What a run for a window replaces of a mart."""

    # The days of the window.
    DAY = "day"
    # The weeks (by their Monday) and months (by their first day) that the window touches, and the one after them, whose
    # growth looks back at them.
    WEEK = "week"
    MONTH = "month"
    # Everything.
    SNAPSHOT = "snapshot"
    # The rows of some keys. Schema build holds these alone, as they are to be; a row without a date is to be gone.
    KEYS = "keys"


# These are made from days that are published and days that are being built: of the whole run, and not of its chunks.
# As dbt selects them; one argument, because dagster_dbt takes no more after an option.
ROLLUP_SELECTOR: Final = " ".join(f"config.meta.scope:{scope}" for scope in Scope if scope is not Scope.DAY)


def replaced(scope: Scope, window: Window) -> Window | None:
    """The dates of the rows that a run for the window replaces; None for all rows, or those of some keys."""
    last = window.end - ONE_DAY
    if scope is Scope.DAY:
        return window
    if scope is Scope.WEEK:
        return Window(monday_of(window.start), monday_of(last) + timedelta(days=14))
    if scope is Scope.MONTH:
        return Window(window.start.replace(day=1), first_of_next_month(first_of_next_month(last)))
    return None
