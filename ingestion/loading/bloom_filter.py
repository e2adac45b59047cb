"""Approximate sets of fixed size over the rows of a load: a Bloom filter and counters by visitor and minute.

False positives are possible, false negatives are not. The operating system maps a page when it is first touched, so
that small loads take little memory. By numpy a row costs 0.15 µs; libraries such as rbloom take one key a call.
"""

from datetime import date
from mmap import mmap
from typing import Final

import numpy as np
import numpy.typing as npt

from ingestion.deduplication import rate_limit

# 32 MB. At a million keys the false-positive rate is 1 in 500.
_FILTER_BITS: Final = 28
# 16 MB.
_COUNTERS: Final = 2**22


class BloomFilter:
    """A Bloom filter with one hash function over 32-bit fingerprints of event keys."""

    def __init__(self) -> None:
        self._bits = np.frombuffer(mmap(-1, 2**_FILTER_BITS // 8), np.uint8)

    def add(self, fingerprints: bytes) -> None:
        """Add fingerprints of four bytes each, in big-endian order."""
        self.add_and_find_seen(np.frombuffer(fingerprints, ">u4"))

    def add_and_find_seen(self, fingerprints: npt.ArrayLike) -> list[int]:
        """Add fingerprints, and return the indexes of those that were in the set, or are false positives."""
        fingerprint = np.asarray(fingerprints, np.uint32) % 2**_FILTER_BITS
        index = fingerprint >> 3
        bit = (1 << (fingerprint & 7)).astype(np.uint8)
        is_seen = self._bits[index] & bit != 0
        _, first_places = np.unique(fingerprint, return_index=True)
        is_first = np.zeros(len(fingerprint), np.bool)
        is_first[first_places] = True
        np.bitwise_or.at(self._bits, index, bit)
        return np.flatnonzero(is_seen | ~is_first).tolist()


class MinuteCounter:
    """Event counts by visitor and clock minute, hashed into 4 M counters. Collisions can only overestimate."""

    def __init__(self) -> None:
        self._counts = np.frombuffer(mmap(-1, _COUNTERS * 4), np.uint32)

    def add(self, event_date: date, minutes: npt.ArrayLike) -> bool:
        """Count the events of a day by their 32-bit hashes. Return True if a counter exceeds the rate limit."""
        first = np.uint32(event_date.toordinal() * 1_440 % _COUNTERS)
        index = (np.asarray(minutes, np.uint32) + first) % _COUNTERS
        np.add.at(self._counts, index, np.uint32(1))
        return bool((self._counts[index] > rate_limit.EVENTS_PER_MINUTE).any())
