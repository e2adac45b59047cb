"""What a load remembers of the rows it has seen, in memory of a fixed size: never too little, by chance too much.

Memory that is not touched is not taken.
"""

from collections.abc import Iterable
from datetime import date
from mmap import mmap
from typing import Final

from ingestion.resolution import rate_limit

# 32 MB. Of the keys of a million events, one in 500 is taken for another.
_MARK_BITS: Final = 28
_MARK_INDEX: Final = 2 ** (_MARK_BITS - 3) - 1
# 8 MB of counters of 16 bits.
_COUNTERS: Final = 2**22
_MOST: Final = 2**16 - 1


class Marks:
    """A set of marks that may take one for another, and never forgets one."""

    def __init__(self) -> None:
        self._bits = mmap(-1, 2**_MARK_BITS // 8)

    def repeats(self, marks: Iterable[int]) -> list[int]:
        """Add marks. Returns the places of those that were there already, or seem to have been."""
        bits = self._bits
        found = []
        for place, mark in enumerate(marks):
            index = mark >> 3 & _MARK_INDEX
            bit = 1 << (mark & 7)
            held = bits[index]
            if held & bit:
                found.append(place)
            else:
                bits[index] = held | bit
        return found


class Crowds:
    """Counts the events of one visitor in one clock minute; two of them may share a counter."""

    def __init__(self) -> None:
        self._counts = memoryview(mmap(-1, _COUNTERS * 2)).cast("H")

    def hold(self, event_date: date, minutes: Iterable[int]) -> bool:
        """Add the minutes of a day's events. Returns whether one, or perhaps two together, exceed the limit."""
        counts = self._counts
        limit = min(rate_limit.EVENTS_PER_MINUTE, _MOST - 1)
        first = event_date.toordinal() * 1_440
        exceeds = False
        for minute in minutes:
            index = (minute + first) % _COUNTERS
            count = counts[index] + 1
            if count > limit:
                exceeds = True
            else:
                counts[index] = count
        return exceeds
