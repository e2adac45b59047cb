"""Calendar of fits: the ISO weeks of a window, and the days that each is fitted on."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

from warehouse.window import Window, monday_of

ONE_WEEK: Final = timedelta(days=7)
# A quarter gives dozens of conversions to a channel with a few a week, and still follows a new campaign.
FIT_DAYS: Final = 90


def weeks(window: Window) -> Iterator[date]:
    """Yield the Mondays of the ISO weeks that share a day with the window, oldest first."""
    monday = monday_of(window.start)
    while monday < window.end:
        yield monday
        monday += ONE_WEEK


def fit_window(monday: date) -> Window:
    """Return the days on which the week of this Monday is fitted: those before it, since the fit is applied to it."""
    return Window(monday - timedelta(days=FIT_DAYS), monday)
