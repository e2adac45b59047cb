"""Portions of a file to what becomes of their lines: rows for the server, and counts. Knows neither the database nor
other portions.
"""

import gc
from array import array
from dataclasses import dataclass, field
from datetime import date
from zlib import crc32

from ingestion.candidates.rows import event_row, place, rejected_row
from ingestion.contract import DEVICE_SOURCES
from ingestion.encryption.props import PropEncryption
from ingestion.landing.lines import Portion, numbered
from ingestion.validation.validator import Accepted, LineValidator, NotTracked


@dataclass(frozen=True, slots=True)
class Rules:
    """What the lines of a landing day are judged by."""

    landing_date: date
    start_date: date
    encryption: PropEncryption | None = None

    def validator(self) -> LineValidator:
        return LineValidator(landing_date=self.landing_date, start_date=self.start_date, encryption=self.encryption)


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
    days: dict[date, DayRows] = field(default_factory=dict)


def judge(validator: LineValidator, load_id: int, portion: Portion) -> Judged:
    """Judge and pack every line of a portion."""
    judged = Judged(load_id)
    # Nothing in the loop makes cycles, and what it makes is kept: collecting would look at all of it again and again.
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        _judge(validator, portion, judged)
    finally:
        if was_enabled:
            gc.enable()
    return judged


def _judge(validator: LineValidator, portion: Portion, judged: Judged) -> None:
    days = judged.days
    load_id = judged.load_id
    for number, line in numbered(portion):
        judged.lines_read += 1
        outcome = validator.validate(line) if isinstance(line, bytes) else validator.reject_unread(line)
        if isinstance(outcome, Accepted):
            event = outcome.event
            row, attribution = event_row(event, place(load_id, number))
            event_date = event.event_date
            rows = days.get(event_date)
            if rows is None:
                rows = days[event_date] = DayRows()
            if attribution is not None:
                rows.attributions[len(rows.events)] = attribution
            rows.events.append(row)
            rows.marks.append(int.from_bytes(event.event_id[:4]))
            if event.source in DEVICE_SOURCES:
                who = event.actor_id or event.anonymous_id
                known_by = event.session_id if who is None else who.encode()
                if known_by is not None:
                    moment = event.occurred_at
                    rows.minutes.append(crc32(known_by, moment.hour * 60 + moment.minute))
        elif isinstance(outcome, NotTracked):
            judged.not_tracked += 1
        else:
            at = place(load_id, number)
            judged.rejected.append(rejected_row(outcome.line, outcome.line_bytes, outcome.reasons, at))
