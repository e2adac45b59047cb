"""Validation of a batch of lines: rows for COPY, and counts. Knows neither the database nor other batches."""

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from zlib import crc32

from ingestion.encryption.props import PropEncryption
from ingestion.landing.lines import Line, LineBatch, NumberedLine, numbered_lines
from ingestion.landing.objects import is_json, objects_of
from ingestion.loading.binary_copy import event_row, fingerprints, rejected_row
from ingestion.loading.packed_rows import PackedRows
from ingestion.subjects.erased_ids import ErasedIds
from ingestion.subjects.erased_lines import LineEditor, editor_of_erased_ids
from ingestion.validation.event_record import ValidEvent
from ingestion.validation.notes import Note
from ingestion.validation.timestamps import MICROSECONDS_OF_MINUTE
from ingestion.validation.validator import LineValidator, NotTracked
from ingestion.validation_lists import EventRules, default_rules
from warehouse import garbage_collection


@dataclass(frozen=True, slots=True)
class BatchValidator:
    """Validator of the lines of one landing day, and the persons whose events are left out of it."""

    lines: LineValidator
    erased_ids: ErasedIds | None = None
    editor: LineEditor | None = None


@dataclass(frozen=True, slots=True)
class ValidationSettings:
    """Rules and settings for the lines of one landing day."""

    landing_date: date
    start_date: date
    encryption: PropEncryption | None = None
    event_rules: EventRules | None = None
    sealed_before: date | None = None
    erased_ids: ErasedIds | None = None

    def validator(self) -> BatchValidator:
        rules = self.event_rules or default_rules()
        lines = LineValidator(
            landing_date=self.landing_date,
            start_date=self.start_date,
            sealed_before=self.sealed_before,
            encryption=self.encryption,
            rules=rules,
        )
        if self.erased_ids is None:
            return BatchValidator(lines)
        editor = editor_of_erased_ids(self.erased_ids, hash_key=rules.hash_key, landing_date=self.landing_date)
        return BatchValidator(lines, self.erased_ids, editor)


@dataclass(frozen=True, slots=True)
class DayRows:
    """Rows of the valid events of one event day, in the order of their lines.

    Attributes:
        events: Rows of raw.events.
        attributions: Rows of raw.attribution.
        attributed: The index of the event of each attribution row.
        fingerprints: The first 32 bits of each event's id. Equal keys have equal fingerprints.
        minutes: A 32-bit hash of visitor and clock minute, for each event that counts towards the rate limit.
    """

    events: PackedRows
    attributions: PackedRows
    attributed: "array[int]"
    fingerprints: "array[int]"
    minutes: "array[int]"


class _DayRowLists:
    """The rows of an event day while its lines are read."""

    __slots__ = ("attributed", "attributions", "events", "minutes")

    def __init__(self) -> None:
        self.events: list[bytes] = []
        self.attributions: list[bytes] = []
        self.attributed = array("I")
        self.minutes = array("I")

    def pack(self) -> DayRows:
        return DayRows(
            PackedRows.pack(self.events),
            PackedRows.pack(self.attributions),
            self.attributed,
            fingerprints(self.events),
            self.minutes,
        )


@dataclass(slots=True)
class BatchResult:
    """Rows and counts of one batch of a load's file. Events with `mentions` of erased ids are stored without them."""

    load_id: int
    lines_read: int = 0
    not_tracked: int = 0
    erased: int = 0
    mentions: int = 0
    rejected: list[bytes] = field(default_factory=list)
    notes: Counter[Note] = field(default_factory=Counter)
    days: dict[date, DayRows] = field(default_factory=dict)


def validate_batch(validator: BatchValidator, load_id: int, batch: LineBatch) -> tuple[BatchResult, list[NumberedLine]]:
    """Validate and encode every line of a batch; return invalid lines unexplained beside the result.

    A line that is not JSON is cut into the objects that it holds. Each object is validated as a line of its own.
    """
    result = BatchResult(load_id)
    # The loop makes no cycles and keeps what it makes. The collector would only walk the growing lists again and again.
    with garbage_collection.paused():
        days: dict[date, _DayRowLists] = defaultdict(_DayRowLists)
        invalid, objects = _split_objects(_validate_lines(validator, numbered_lines(batch), result, days), result)
        invalid += _validate_lines(validator, objects, result, days)
        result.days = {event_date: rows.pack() for event_date, rows in days.items()}
        return result, invalid


def explain_rejections(validator: BatchValidator, result: BatchResult, lines: Iterable[NumberedLine]) -> None:
    """Find every reason against lines that `validate_batch` returned, and add them to a result of that load."""
    editor = validator.editor
    for number, position, line in lines:
        if editor is not None and editor.names_any(line if isinstance(line, bytes) else line.head):
            result.erased += 1
            continue
        rules = validator.lines
        outcome = rules.explain_rejection(line) if isinstance(line, bytes) else rules.reject_unparsed(line)
        if isinstance(outcome, NotTracked):
            result.not_tracked += 1
        else:
            row = rejected_row(outcome.line, outcome.line_bytes, outcome.reasons, result.load_id, number, position)
            result.rejected.append(row)


def _split_objects(lines: list[NumberedLine], result: BatchResult) -> tuple[list[NumberedLine], list[NumberedLine]]:
    """Return the invalid lines, and the objects inside lines that are not JSON as a whole."""
    invalid: list[NumberedLine] = []
    objects: list[NumberedLine] = []
    for number, position, line in lines:
        if position > 1 or not isinstance(line, bytes) or is_json(line):
            invalid.append((number, position, line))
        else:
            result.lines_read -= 1
            objects += [(number, place, piece) for place, piece in objects_of(line)]
    return invalid, objects


def _accept_without_mentions(validator: BatchValidator, line: Line, event: ValidEvent) -> ValidEvent:
    if validator.editor is not None and isinstance(line, bytes):
        edited = validator.lines.accept(validator.editor.edit(line)[0])
        if isinstance(edited, ValidEvent):
            return edited
    return event


def _validate_lines(
    validator: BatchValidator, lines: Iterable[NumberedLine], result: BatchResult, days: dict[date, _DayRowLists]
) -> list[NumberedLine]:
    """Encode the valid events of lines by event day, and count the others. Return the lines that are invalid."""
    load_id = result.load_id
    lines_read = 0
    event_date = None
    rows = _DayRowLists()
    invalid: list[NumberedLine] = []
    accept = validator.lines.accept
    erased_ids, editor = validator.erased_ids, validator.editor
    for number, position, line in lines:
        lines_read += 1
        outcome = accept(line) if isinstance(line, bytes) else None
        if isinstance(outcome, ValidEvent):
            if erased_ids is not None:
                if erased_ids.is_erased(outcome):
                    result.erased += 1
                    continue
                if erased_ids.is_mentioned(outcome):
                    # Stored as the line will be once it is erased from the file too: its hash is of the whole line.
                    result.mentions += 1
                    outcome = _accept_without_mentions(validator, line, outcome)
            row, attribution = event_row(outcome, load_id, number, position)
            # Most events have the day of the event before.
            if outcome.event_date is not event_date:
                event_date = outcome.event_date
                rows = days[event_date]
            events = rows.events
            if attribution is not None:
                rows.attributed.append(len(events))
                rows.attributions.append(attribution)
            events.append(row)
            if outcome.notes:
                result.notes.update(outcome.notes)
            if outcome.kind.is_from_device:
                visitor = outcome.actor_id or outcome.anonymous_id
                visitor_key = outcome.session_id if visitor is None else visitor.encode()
                if visitor_key is not None:
                    rows.minutes.append(crc32(visitor_key, outcome.occurred_at // MICROSECONDS_OF_MINUTE % 1_440))
        elif outcome is None:
            invalid.append((number, position, line))
        elif editor is not None and isinstance(line, bytes) and editor.names_any(line):
            result.erased += 1
        else:
            result.not_tracked += 1
    result.lines_read += lines_read
    return invalid
