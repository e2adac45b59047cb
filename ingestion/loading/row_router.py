"""Where judged rows go first: new keys into raw itself, all else to the table contenders, which resolution/ settles.

A key is new when nothing of its event day is stored, or what is stored has been looked at, and no row before it had the
same mark. Marks that are equal by chance only send a row the long way. So the rows that go into raw have keys of their
own, and the unique index of each day's partition holds them to it.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date
from typing import Final

import psycopg

from ingestion import day_partitions
from ingestion.loading.batch_validation import DayRows, Judged
from ingestion.loading.binary_copy import ATTRIBUTION_COLUMN_LIST, EVENT_COLUMN_LIST, candidate_row
from ingestion.loading.copy_buffer import TO_CONTENDERS, TO_REJECTED, Outbox
from ingestion.validation.notes import Note

# What is stored of a day is looked at when so large a share of it has arrived anew: the long way of so many rows, 20 µs
# more for each, costs as much as a look at a million does.
_WORTH_LOOKING: Final = 0.03
# Every copy of the day that is stored anywhere has a key that is stored here.
_STORED_MARKS: Final = """
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
    """What the lines of one load have come to so far; the rows among the contenders are not counted yet."""

    lines_read: int = 0
    rejected: int = 0
    not_tracked: int = 0
    notes: Counter[Note] = field(default_factory=Counter)
    stored: dict[date, int] = field(default_factory=lambda: defaultdict(int))
    event_dates: set[date] = field(default_factory=set)


class Intake:
    """Takes the judged portions of the loads of one transaction."""

    def __init__(self, cursor: psycopg.Cursor) -> None:
        # Only now: numpy takes a tenth of a second, which not all who import this can spare.
        from ingestion.loading.bloom_filter import Crowds, Marks

        self._cursor = cursor
        self._outbox = Outbox(cursor)
        self._seen = Marks()
        self._crowds = Crowds()
        self._days: dict[date, _Day] = {}
        self.tallies: dict[int, LoadTally] = defaultdict(LoadTally)

    def take(self, judged: Judged) -> None:
        """Put the rows of a portion on their way."""
        tally = self.tallies[judged.load_id]
        tally.lines_read += judged.lines_read
        tally.not_tracked += judged.not_tracked
        tally.rejected += len(judged.rejected)
        tally.notes.update(judged.notes)
        self._outbox.put(TO_REJECTED, judged.rejected)
        for event_date, rows in judged.days.items():
            tally.event_dates.add(event_date)
            tally.stored[event_date] += self._take_day(event_date, rows)

    def crowded_dates(self) -> list[date]:
        """The event days on which somebody may have more events in a minute than the rate limit allows: where that is
        seen here, and where something was stored before."""
        return [event_date for event_date, day in self._days.items() if day.is_crowded or not day.is_new]

    def finish_days(self) -> dict[date, int]:
        """Bring all events to the server. Returns how many rows went into raw itself, by event day."""
        self._outbox.send()
        for event_date, day in sorted(self._days.items()):
            if day.is_new:
                day_partitions.attach(self._cursor, event_date)
        return {event_date: day.stored for event_date, day in self._days.items() if day.stored}

    def finish(self) -> None:
        """Bring to the server what else was taken."""
        self._outbox.send()

    def _take_day(self, event_date: date, rows: DayRows) -> int:
        """Put the rows of a day on their way. Returns how many go into raw itself."""
        day = self._day(event_date)
        day.arrived += len(rows.events)
        if not day.is_known and day.arrived >= day.rows_before * _WORTH_LOOKING:
            self._look_at(event_date)
            day.is_known = True
        day.is_crowded = self._crowds.hold(event_date, rows.minutes) or day.is_crowded
        repeats = self._seen.repeats(rows.marks)
        going_round = repeats if day.is_known else range(len(rows.events))
        if going_round:
            self._outbox.put(
                TO_CONTENDERS,
                [candidate_row(rows.events[index], rows.attributions.pop(index, None)) for index in going_round],
            )
        events = rows.events
        for index in reversed(going_round):
            del events[index]
        to_events, to_attribution = day.targets
        self._outbox.put(to_events, events)
        self._outbox.put(to_attribution, list(rows.attributions.values()))
        day.stored += len(events)
        return len(events)

    def _day(self, event_date: date) -> "_Day":
        day = self._days.get(event_date)
        if day is None:
            rows = day_partitions.stored_rows(self._cursor, event_date)
            if rows is None:
                day_partitions.prepare(self._cursor, event_date)
            events, attribution = day_partitions.names(event_date)
            targets = f"{events} ({EVENT_COLUMN_LIST})", f"{attribution} ({ATTRIBUTION_COLUMN_LIST})"
            day = self._days[event_date] = _Day(targets, rows or 0, is_new=rows is None, is_known=rows is None)
        return day

    def _look_at(self, event_date: date) -> None:
        self._cursor.execute(_STORED_MARKS, {"event_date": event_date}, binary=True)
        (stored,) = self._cursor.fetchone() or (b"",)
        self._seen.add(stored)


@dataclass(slots=True)
class _Day:
    """An event day: where its rows go, about how many were stored before, and how many have come in this load."""

    targets: tuple[str, str]
    rows_before: int
    is_new: bool
    is_known: bool  # whether the marks of all that is stored of it have been seen
    is_crowded: bool = False
    arrived: int = 0
    stored: int = 0
