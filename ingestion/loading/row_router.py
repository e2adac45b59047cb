"""Routing of validated rows: provably new keys go to raw.events, all other rows to the temporary table candidates.

A key is provably new if nothing of its event day is stored, or its stored keys are in the Bloom filter, and the filter
does not contain it. A false positive only sends the row through the slower deduplication. Rows that go to raw.events
therefore have keys of their own; the unique index of each day's partition enforces that.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date
from typing import Final

import psycopg

from ingestion import day_partitions
from ingestion.loading.batch_validation import BatchResult, DayRows
from ingestion.loading.binary_copy import ATTRIBUTION_COLUMN_LIST, EVENT_COLUMN_LIST, candidate_row
from ingestion.loading.copy_buffer import TO_CANDIDATES, TO_REJECTED, CopyBuffer
from ingestion.validation.notes import Note

# The stored keys of a day are read when the load brings at least this share of its rows. Deduplication costs 20 µs a
# row, so that 3 % of the rows of a day cost as much as reading all of its keys.
_KEY_SCAN_MIN_SHARE: Final = 0.03
# Every copy of the day that is stored anywhere has a key that is stored in one of these tables.
_STORED_FINGERPRINTS: Final = """
select coalesce(string_agg(substr(uuid_send(event_id), 1, 4), ''), '')
from (
    select event_id from raw.events where event_date = %(event_date)s
    union all
    select (candidate ->> 'event_id')::uuid from raw.duplicate_events where event_date = %(event_date)s
    union all
    select (candidate ->> 'event_id')::uuid
    from raw.rejected_events
    where event_date = %(event_date)s and candidate is not null
) as stored
"""


@dataclass(slots=True)
class LoadTally:
    """Counts of the lines of one load so far. Rows among the candidates are not counted yet."""

    lines_read: int = 0
    rejected: int = 0
    not_tracked: int = 0
    erased: int = 0
    mentions: int = 0
    notes: Counter[Note] = field(default_factory=Counter)
    stored: dict[date, int] = field(default_factory=lambda: defaultdict(int))
    event_dates: set[date] = field(default_factory=set)


class RowRouter:
    """Router of the batch results of all loads of one transaction."""

    def __init__(self, cursor: psycopg.Cursor) -> None:
        # Imported late: numpy takes 0.1 s, which commands that only import this module should not pay.
        from ingestion.loading.bloom_filter import BloomFilter, MinuteCounter

        self._cursor = cursor
        self._buffer = CopyBuffer(cursor)
        self._seen = BloomFilter()
        self._minute_counts = MinuteCounter()
        self._days: dict[date, _Day] = {}
        self.tallies: dict[int, LoadTally] = defaultdict(LoadTally)

    def route(self, result: BatchResult) -> None:
        """Add the rows and counts of a batch."""
        tally = self.tallies[result.load_id]
        tally.lines_read += result.lines_read
        tally.not_tracked += result.not_tracked
        tally.erased += result.erased
        tally.mentions += result.mentions
        tally.rejected += len(result.rejected)
        tally.notes.update(result.notes)
        self._buffer.add(TO_REJECTED, result.rejected)
        for event_date, rows in result.days.items():
            tally.event_dates.add(event_date)
            tally.stored[event_date] += self._route_day(event_date, rows)

    def dates_over_limit(self) -> list[date]:
        """Return the event days on which a visitor may exceed the rate limit.

        These are the days on which a counter exceeds it, and all days that had rows before.
        """
        return [event_date for event_date, day in self._days.items() if day.is_over_limit or not day.is_new]

    def attach_partitions(self) -> dict[date, int]:
        """Copy all rows, and attach the partitions of new days. Return the rows copied to raw.events by event day."""
        self.flush()
        for event_date, day in sorted(self._days.items()):
            if day.is_new:
                day_partitions.attach(self._cursor, event_date)
        return {event_date: day.stored for event_date, day in self._days.items() if day.stored}

    def flush(self) -> None:
        """Copy the rows that are waiting."""
        self._buffer.flush()

    def _route_day(self, event_date: date, rows: DayRows) -> int:
        """Add the rows of one event day. Return how many go to raw.events."""
        day = self._day(event_date)
        day.arrived += len(rows.events)
        if not day.has_known_keys and day.arrived >= day.rows_before * _KEY_SCAN_MIN_SHARE:
            self._read_stored_keys(event_date)
            day.has_known_keys = True
        day.is_over_limit = self._minute_counts.add(event_date, rows.minutes) or day.is_over_limit
        seen = self._seen.add_and_find_seen(rows.fingerprints)
        to_candidates = seen if day.has_known_keys else range(len(rows.events))
        events, attributions = rows.events, rows.attributions
        # The places of the candidates' attributions, in ascending order.
        is_candidate = frozenset(to_candidates)
        places = {index: place for place, index in enumerate(rows.attributed) if index in is_candidate}
        self._buffer.add(
            TO_CANDIDATES,
            [
                candidate_row(events[index], attributions[places[index]] if index in places else None)
                for index in to_candidates
            ],
        )
        to_events, to_attribution = day.targets
        self._buffer.add(to_events, events.without(to_candidates))
        self._buffer.add(to_attribution, attributions.without(places.values()))
        stored = len(events) - len(to_candidates)
        day.stored += stored
        return stored

    def _day(self, event_date: date) -> "_Day":
        day = self._days.get(event_date)
        if day is None:
            rows = day_partitions.stored_rows(self._cursor, event_date)
            if rows is None:
                day_partitions.create_detached_partition(self._cursor, event_date)
            events, attribution = day_partitions.names(event_date)
            targets = f"{events} ({EVENT_COLUMN_LIST})", f"{attribution} ({ATTRIBUTION_COLUMN_LIST})"
            day = self._days[event_date] = _Day(targets, rows or 0, is_new=rows is None, has_known_keys=rows is None)
        return day

    def _read_stored_keys(self, event_date: date) -> None:
        self._cursor.execute(_STORED_FINGERPRINTS, {"event_date": event_date}, binary=True)
        (stored,) = self._cursor.fetchone() or (b"",)
        self._seen.add(stored)


@dataclass(slots=True)
class _Day:
    """An event day: the targets of its rows, its rows before this load (estimated), and the rows of this load."""

    targets: tuple[str, str]
    rows_before: int
    is_new: bool
    has_known_keys: bool  # the Bloom filter holds every stored key of the day
    is_over_limit: bool = False
    arrived: int = 0
    stored: int = 0
