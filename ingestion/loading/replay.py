"""Replay of rejected lines under today's rules: a line that is valid now becomes an event.

The line is read from its landing file again, since the stored text is redacted. When a rule was relaxed and every line
that it had rejected is replayed, raw is equal to loading all files again.
"""

from collections import Counter
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final

import psycopg
from psycopg.pq import TransactionStatus

from ingestion.deduplication import candidates
from ingestion.deduplication.resolve import resolve
from ingestion.encryption.props import PropEncryption
from ingestion.landing import reading
from ingestion.landing.files import LandingRoot
from ingestion.landing.lines import Line, NumberedLine
from ingestion.landing.objects import is_json, objects_of
from ingestion.loading import load_log
from ingestion.loading.binary_copy import REJECTED_COLUMN_LIST, candidate_row, event_row, rejected_row
from ingestion.loading.copy_buffer import TO_CANDIDATES, CopyBuffer
from ingestion.loading.replay_selection import MATCHES, LoadToReplay, matching_loads
from ingestion.loading.replay_selection import ReplayError as ReplayError
from ingestion.loading.replay_selection import ReplayReport as ReplayReport
from ingestion.loading.replay_selection import Selection as Selection
from ingestion.validation.event_record import ValidEvent
from ingestion.validation.notes import Note
from ingestion.validation.validator import LineValidator, NotTracked
from ingestion.validation_lists import EventRules
from warehouse import retention
from warehouse.change_queues import next_change_id

_CREATE_STILL_REJECTED: Final = """
create temporary table still_rejected (
    line text, line_bytes bigint, reasons text[], load_id bigint, line_number bigint, line_position integer
) on commit drop
"""
# The number of a line, and the position of an object in it.
_Place = tuple[int, int]
_TO_STILL_REJECTED: Final = f"still_rejected ({REJECTED_COLUMN_LIST})"


@dataclass(slots=True)
class _Outcomes:
    """Outcomes of the lines of a file, kept until all of them have been read."""

    lines_read: int = 0
    still_rejected: int = 0
    # Objects of lines that were rejected whole by older versions, which did not split lines: not yet in ops.loads.
    uncounted: int = 0
    usable: list[_Place] = field(default_factory=list)
    not_tracked: list[_Place] = field(default_factory=list)
    event_dates: set[date] = field(default_factory=set)
    notes: Counter[Note] = field(default_factory=Counter)


def replay_rejected(
    connection: psycopg.Connection,
    *,
    root: LandingRoot | Path,
    start_date: date,
    selection: Selection,
    encryption: PropEncryption | None = None,
    rules: EventRules | None = None,
    on_load: Callable[[ReplayReport], None] | None = None,
) -> list[ReplayReport]:
    """Validate the selected rejected lines again, load by load, each in a transaction of its own.

    Lines that are still rejected get today's reasons. Replaying again changes nothing.

    Raises:
        ReplayError: A landing file is missing or is not the loaded one; nothing was changed.
        LandingError: A landing file cannot be read.
        ValueError: The connection is in a transaction.
    """
    if connection.info.transaction_status != TransactionStatus.IDLE:
        raise ValueError("a load is replayed in a transaction of its own: commit the connection's first")
    loads = matching_loads(connection, root, selection)
    reports = []
    for load in loads:
        with connection.transaction(), connection.cursor() as cursor:
            validator = LineValidator(
                landing_date=load.file.landing_date,
                start_date=start_date,
                sealed_before=retention.sealed_before(cursor),
                encryption=encryption,
                rules=rules,
            )
            report = _replay_load(cursor, load, selection, validator)
        if on_load:
            on_load(report)
        reports.append(report)
    return reports


def _replay_load(
    cursor: psycopg.Cursor, load: LoadToReplay, selection: Selection, validator: LineValidator
) -> ReplayReport:
    cursor.execute("set local synchronous_commit = on")
    cursor.execute("set local timezone = 'UTC'")
    cursor.execute("select ops.assert_writer()")
    # As in a load: the counts of ops.loads and the rows that they count change together.
    cursor.execute("lock table ops.loads in share row exclusive mode")
    cursor.execute(
        f"select line_number, line_position, line_bytes from raw.rejected_events as rejected"
        f" where load_id = %(load_id)s and {MATCHES}",
        {"load_id": load.load_id, "reason": selection.reason},
    )
    selected = {(number, position): line_bytes for number, position, line_bytes in cursor}
    cursor.execute(candidates.CREATE)
    cursor.execute(_CREATE_STILL_REJECTED)
    outcomes = _validate(cursor, load, selected, validator)
    cursor.execute(
        f"""
        insert into raw.rejected_events as rejected ({REJECTED_COLUMN_LIST})
        select {REJECTED_COLUMN_LIST} from still_rejected
        on conflict (load_id, line_number, line_position) do update
        set line = excluded.line, line_bytes = excluded.line_bytes, reasons = excluded.reasons
        where (rejected.line, rejected.line_bytes, rejected.reasons)
            is distinct from (excluded.line, excluded.line_bytes, excluded.reasons)
        """
    )
    replayed = [*outcomes.usable, *outcomes.not_tracked]
    if replayed or outcomes.uncounted:
        cursor.execute(
            "delete from raw.rejected_events where load_id = %s and (line_number, line_position) in"
            " (select * from unnest(%s::bigint[], %s::integer[]))",
            [load.load_id, [number for number, _ in replayed], [position for _, position in replayed]],
        )
        cursor.execute(
            """
            update ops.loads
            set lines_read = lines_read + %s, rejected = rejected + %s, not_tracked = not_tracked + %s,
                event_dates = array(select distinct day from unnest(event_dates || %s::date[]) as day order by day)
            where load_id = %s
            """,
            [
                outcomes.uncounted, outcomes.uncounted - len(replayed), len(outcomes.not_tracked),
                sorted(outcomes.event_dates), load.load_id,
            ],
        )  # fmt: skip
    if outcomes.usable:
        load_log.add_notes(cursor, load.load_id, outcomes.notes)
        change_id = next_change_id(cursor)
        # Check results from before this change no longer hold for the days that it changes.
        cursor.execute("update ops.loads set change_id = %s where load_id = %s", [change_id, load.load_id])
        # Also counts the candidates in ops.loads: accepted, duplicate, or rejected as rate limited.
        resolve(cursor, change_id=change_id)
    return ReplayReport(
        load.load_id,
        load.file.name,
        lines_read=outcomes.lines_read,
        usable=len(outcomes.usable),
        still_rejected=outcomes.still_rejected,
        not_tracked=len(outcomes.not_tracked),
        event_dates=tuple(sorted(outcomes.event_dates)),
    )


def _validate(
    cursor: psycopg.Cursor, load: LoadToReplay, selected: Mapping[_Place, int], validator: LineValidator
) -> _Outcomes:
    """Copy the selected lines to the tables candidates and still_rejected, by today's rules."""
    outcomes = _Outcomes()
    buffer = CopyBuffer(cursor)
    # Every line is read: only the checksum of the whole file proves that it is the loaded one.
    whole_line = None
    for number, position, line in _objects(load, {number for number, _ in selected}):
        place = number, position
        rejected_bytes = selected.get(place)
        if rejected_bytes is not None:
            if rejected_bytes > _length(line):
                whole_line = number
        elif number == whole_line:
            outcomes.uncounted += 1
        else:
            continue
        outcomes.lines_read += 1
        outcome = validator.validate(line) if isinstance(line, bytes) else validator.reject_unparsed(line)
        if isinstance(outcome, ValidEvent):
            buffer.add(TO_CANDIDATES, [candidate_row(*event_row(outcome, load.load_id, number, position))])
            outcomes.usable.append(place)
            outcomes.event_dates.add(outcome.event_date)
            outcomes.notes.update(outcome.notes)
        elif isinstance(outcome, NotTracked):
            outcomes.not_tracked.append(place)
        else:
            row = rejected_row(outcome.line, outcome.line_bytes, outcome.reasons, load.load_id, number, position)
            buffer.add(_TO_STILL_REJECTED, [row])
            outcomes.still_rejected += 1
    buffer.flush()
    return outcomes


def _objects(load: LoadToReplay, numbers: Container[int]) -> Iterator[NumberedLine]:
    """Yield the lines with these numbers; of lines that are not JSON the objects inside, as loads do."""
    for number, position, line in reading.read_lines(load.file, load.checksum):
        if number not in numbers:
            continue
        if position == 1 and isinstance(line, bytes) and not is_json(line):
            yield from ((number, place, piece) for place, piece in objects_of(line))
        else:
            yield number, position, line


def _length(line: Line) -> int:
    return len(line) if isinstance(line, bytes) else line.line_bytes
