"""What a load remembers of its rows: nothing is forgotten, on any day that a date can be."""

from datetime import date

import pytest

from ingestion.deduplication.rate_limit import EVENTS_PER_MINUTE
from ingestion.loading.bloom_filter import Crowds, Marks


def test_a_mark_is_a_repeat_from_its_second_time_on_within_a_portion_and_across() -> None:
    marks = Marks()
    assert marks.repeats([7, 2**32 - 1, 7, 0]) == [2]
    assert marks.repeats([1, 0, 2**32 - 1]) == [1, 2]
    marks.add((1_000).to_bytes(4))
    assert marks.repeats([1_000, 1_001]) == [0]
    assert marks.repeats([]) == []


@pytest.mark.parametrize("day", [date.min, date(2026, 10, 2), date.max])
def test_a_minute_is_crowded_by_the_event_over_the_limit_whatever_the_day(day: date) -> None:
    crowds = Crowds()
    assert not crowds.hold(day, [2**32 - 1] * EVENTS_PER_MINUTE)
    assert not crowds.hold(day, [5])
    assert crowds.hold(day, [2**32 - 1])
