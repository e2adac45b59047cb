"""The calendar of the fits: which ISO weeks there are, and which days each is fitted on."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

from warehouse.window import Window, monday_of

ONE_WEEK: Final = timedelta(days=7)
# A quarter: long enough that a channel with a few conversions a week has dozens, short enough to follow a new campaign.
FIT_DAYS: Final = 90


def weeks(window: Window) -> Iterator[date]:
    """The Mondays of the ISO weeks that share a day with the window, oldest first."""
    monday = monday_of(window.start)
    while monday < window.end:
        yield monday
        monday += ONE_WEEK


def fit_period(monday: date) -> tuple[date, date]:
    """The first day, and the day after the last, of what the week of this Monday is fitted on: never a day of the week
    itself, whose conversions the fit is applied to."""
    return monday - timedelta(days=FIT_DAYS), monday
