"""Days and durations as messages say them."""

from datetime import date, timedelta

import pytest

from alerting.fault import listed
from alerting.messages import duration


def test_a_stretch_of_days_is_its_first_and_last() -> None:
    days = [date(2026, 10, day) for day in (9, 1, 2, 3, 3, 7)]
    assert listed(days) == "2026-10-01 to 2026-10-03, 2026-10-07, 2026-10-09"
    assert listed([]) == ""


@pytest.mark.parametrize(
    ("minutes", "text"),
    [(0, "less than a minute"), (59, "59 min"), (60, "1 h"), (1501, "1 d 1 h"), (1441, "1 d 1 min")],
)
def test_a_duration_has_its_two_largest_parts(minutes: int, text: str) -> None:
    assert duration(timedelta(minutes=minutes)) == text
