"""What a load remembers of the rows it has seen, in memory of a fixed size: never too little, by chance too much.

Memory that is not touched is not taken.
"""

from datetime import date
from mmap import mmap
from typing import Final

import numpy as np
import numpy.typing as npt

from ingestion.deduplication import rate_limit

# 32 MB. Of the keys of a million events, one in 500 is taken for another.
_MARK_BITS: Final = 28
# 16 MB.
_COUNTERS: Final = 2**22


class Marks:
    """A set of marks that may take one for another, and never forgets one."""

    def __init__(self) -> None:
        self._bits = np.frombuffer(mmap(-1, 2**_MARK_BITS // 8), np.uint8)

    def add(self, marks: bytes) -> None:
        """Add marks, of four bytes each, the highest first."""
        self.repeats(np.frombuffer(marks, ">u4"))

    def repeats(self, marks: npt.ArrayLike) -> list[int]:
        """Add marks, numbers of 32 bits. Returns the places of those that were there already, or seem to have been."""
        mark = np.asarray(marks, np.uint32) % 2**_MARK_BITS
        index = mark >> 3
        bit = (1 << (mark & 7)).astype(np.uint8)
        is_repeat = self._bits[index] & bit != 0
        _, first_places = np.unique(mark, return_index=True)
        is_first = np.zeros(len(mark), np.bool)
        is_first[first_places] = True
        np.bitwise_or.at(self._bits, index, bit)
        return np.flatnonzero(is_repeat | ~is_first).tolist()


class Crowds:
    """Counts the events of one visitor in one clock minute; two of them may share a counter."""

    def __init__(self) -> None:
        self._counts = np.frombuffer(mmap(-1, _COUNTERS * 4), np.uint32)

    def hold(self, event_date: date, minutes: npt.ArrayLike) -> bool:
        """Add the minutes of a day's events, numbers of 32 bits. Returns whether one, or perhaps two together, exceed
        the limit."""
        first = np.uint32(event_date.toordinal() * 1_440 % _COUNTERS)
        index = (np.asarray(minutes, np.uint32) + first) % _COUNTERS
        np.add.at(self._counts, index, np.uint32(1))
        return bool((self._counts[index] > rate_limit.EVENTS_PER_MINUTE).any())
