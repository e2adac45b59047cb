"""The Bloom filter and the minute counter of a load: no false negatives, on any day that a date can be."""

from datetime import date

import pytest

from ingestion.deduplication.rate_limit import EVENTS_PER_MINUTE
from ingestion.loading.bloom_filter import BloomFilter, MinuteCounter


def test_a_fingerprint_is_seen_from_its_second_time_on_within_a_batch_and_across() -> None:
    seen = BloomFilter()
    assert seen.add_and_find_seen([7, 2**32 - 1, 7, 0]) == [2]
    assert seen.add_and_find_seen([1, 0, 2**32 - 1]) == [1, 2]
    seen.add((1_000).to_bytes(4))
    assert seen.add_and_find_seen([1_000, 1_001]) == [0]
    assert seen.add_and_find_seen([]) == []


@pytest.mark.parametrize("day", [date.min, date(2026, 10, 2), date.max])
def test_a_minute_is_over_the_limit_from_the_event_over_it_on_any_day(day: date) -> None:
    counter = MinuteCounter()
    assert not counter.add(day, [2**32 - 1] * EVENTS_PER_MINUTE)
    assert not counter.add(day, [5])
    assert counter.add(day, [2**32 - 1])
