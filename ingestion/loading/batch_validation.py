"""Portions of a file to what becomes of their lines: rows for the server, and counts. Knows neither the database nor
other portions.
"""

import gc
from array import array
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from zlib import crc32

from ingestion.encryption.props import PropEncryption
from ingestion.event_rules import EventRules
from ingestion.landing.lines import Placed, Portion, placed
from ingestion.landing.objects import is_json, objects_of
from ingestion.loading.binary_copy import event_row, marks, rejected_row
from ingestion.validation.event_record import Accepted
from ingestion.validation.notes import Note
from ingestion.validation.timestamps import MICROSECONDS_OF_MINUTE
from ingestion.validation.validator import LineValidator, NotTracked


@dataclass(frozen=True, slots=True)
class Rules:
    """What the lines of a landing day are judged by."""

    landing_date: date
    start_date: date
    encryption: PropEncryption | None = None
    event_rules: EventRules | None = None

    def validator(self) -> LineValidator:
        return LineValidator(
            landing_date=self.landing_date,
            start_date=self.start_date,
            encryption=self.encryption,
            rules=self.event_rules,
        )


@dataclass(slots=True)
class DayRows:
    """The usable events of one event day, in the order of their lines."""

    events: list[bytes] = field(default_factory=list)
    # Of those that have one, by their place in `events`.
    attributions: dict[int, bytes] = field(default_factory=dict)
    # 32 bits of each event's id, which are the same for the same key: what it can be recognised by.
    marks: "array[int]" = field(default_factory=lambda: array("I"))
    # 32 bits for each event that counts towards a rate limit, which are the same in one clock minute of one visitor.
    minutes: "array[int]" = field(default_factory=lambda: array("I"))


@dataclass(slots=True)
class Judged:
    """What one portion of a load's file came to."""

    load_id: int
    lines_read: int = 0
    not_tracked: int = 0
    rejected: list[bytes] = field(default_factory=list)
    notes: Counter[Note] = field(default_factory=Counter)
    days: dict[date, DayRows] = field(default_factory=dict)


def judge(validator: LineValidator, load_id: int, portion: Portion) -> tuple[Judged, list[Placed]]:
    """Judge and pack every line of a portion, save those that have to be examined, which are returned as well.

    A line that is no JSON is cut into the objects that it holds, each of which is judged as a line of its own.
    """
    judged = Judged(load_id)
    # Nothing in the loop makes cycles, and what it makes is kept: collecting would look at all of it again and again.
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        unclear, objects = _cut_apart(_judge(validator, placed(portion), judged), judged)
        unclear += _judge(validator, objects, judged)
        for rows in judged.days.values():
            rows.marks = marks(rows.events)
        return judged, unclear
    finally:
        if was_enabled:
            gc.enable()


def examine(validator: LineValidator, judged: Judged, lines: Iterable[Placed]) -> None:
    """Find out what is wrong with lines that `judge` returned, and add it to what was judged of the same load."""
    for number, position, line in lines:
        outcome = validator.examine(line) if isinstance(line, bytes) else validator.reject_unread(line)
        if isinstance(outcome, NotTracked):
            judged.not_tracked += 1
        else:
            row = rejected_row(outcome.line, outcome.line_bytes, outcome.reasons, judged.load_id, number, position)
            judged.rejected.append(row)


def _cut_apart(lines: list[Placed], judged: Judged) -> tuple[list[Placed], list[Placed]]:
    """Tell lines that have to be examined from the objects of lines that are no JSON as a whole."""
    unclear: list[Placed] = []
    objects: list[Placed] = []
    for number, position, line in lines:
        if position > 1 or not isinstance(line, bytes) or is_json(line):
            unclear.append((number, position, line))
        else:
            judged.lines_read -= 1
            objects += [(number, place, piece) for place, piece in objects_of(line)]
    return unclear, objects


def _judge(validator: LineValidator, lines: Iterable[Placed], judged: Judged) -> list[Placed]:
    days = judged.days
    load_id = judged.load_id
    lines_read = 0
    event_date = None
    rows = DayRows()
    unclear: list[Placed] = []
    for number, position, line in lines:
        lines_read += 1
        outcome = validator.accept(line) if isinstance(line, bytes) else None
        if isinstance(outcome, Accepted):
            row, attribution = event_row(outcome, load_id, number, position)
            # Most events have the day of the one before.
            if outcome.event_date is not event_date:
                event_date = outcome.event_date
                rows = days.setdefault(event_date, DayRows())
            events = rows.events
            if attribution is not None:
                rows.attributions[len(events)] = attribution
            events.append(row)
            if outcome.notes:
                judged.notes.update(outcome.notes)
            if outcome.kind.is_from_device:
                who = outcome.actor_id or outcome.anonymous_id
                known_by = outcome.session_id if who is None else who.encode()
                if known_by is not None:
                    rows.minutes.append(crc32(known_by, outcome.occurred_at // MICROSECONDS_OF_MINUTE % 1_440))
        elif outcome is None:
            unclear.append((number, position, line))
        else:
            judged.not_tracked += 1
    judged.lines_read += lines_read
    return unclear
