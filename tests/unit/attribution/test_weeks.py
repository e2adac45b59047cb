"""ISO weeks of a window, and the days that each is fitted on."""

from datetime import date

import pytest

from attribution.weeks import fit_window, weeks
from warehouse.window import Window, monday_of


def test_a_week_begins_on_monday_also_across_the_year() -> None:
    assert monday_of(date(2026, 10, 5)) == date(2026, 10, 5)
    assert monday_of(date(2026, 10, 11)) == date(2026, 10, 5)
    assert monday_of(date(2027, 1, 1)) == date(2026, 12, 28)


@pytest.mark.parametrize(
    ("start", "end", "mondays"),
    [
        (date(2026, 10, 5), date(2026, 10, 12), [date(2026, 10, 5)]),
        (date(2026, 10, 11), date(2026, 10, 12), [date(2026, 10, 5)]),
        (date(2026, 10, 11), date(2026, 10, 13), [date(2026, 10, 5), date(2026, 10, 12)]),
        (date(2026, 10, 4), date(2026, 10, 13), [date(2026, 9, 28), date(2026, 10, 5), date(2026, 10, 12)]),
    ],
)
def test_a_window_touches_every_week_it_shares_a_day_with(start: date, end: date, mondays: list[date]) -> None:
    assert list(weeks(Window(start, end))) == mondays


def test_a_week_is_fitted_on_the_90_days_before_its_monday() -> None:
    fitted = fit_window(date(2026, 10, 5))
    assert (fitted.end, len(fitted)) == (date(2026, 10, 5), 90)
