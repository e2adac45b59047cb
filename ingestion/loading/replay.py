"""Rejected lines of loaded files under today's rules: what is good now becomes an event, as if it had always been.

The line is read from its landing file again, since what is kept of it is redacted. After a rule was relaxed and every
line that it had refused was replayed, raw is what loading all files anew would make it.
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
from ingestion.event_rules import EventRules
from ingestion.landing import files as landing
from ingestion.landing import reading
from ingestion.landing.files import LandingFile, LandingRoot
from ingestion.landing.lines import Line, Placed
from ingestion.landing.objects import is_json, objects_of
from ingestion.loading import load_log
from ingestion.loading.binary_copy import REJECTED_COLUMN_LIST, candidate_row, event_row, rejected_row
from ingestion.loading.copy_buffer import TO_CONTENDERS, Outbox
from ingestion.validation.event_record import Accepted
from ingestion.validation.notes import Note
from ingestion.validation.validator import LineValidator, NotTracked
from warehouse.window import Window

# A rate-limited event is good as it is and is judged anew with every load that touches its minute.
_MATCHES: Final = """
    rejected.candidate is null
    and (%(reason)s::text is null
        or exists (select from unnest(rejected.reasons) as reason where starts_with(reason, %(reason)s)))
"""
_CREATE_REFUSED: Final = """
create temporary table refused (
    line text, line_bytes bigint, reasons text[], load_id bigint, line_number bigint, line_position integer
) on commit drop
"""
# The number of a line, and the position of an object in it.
_Place = tuple[int, int]
_TO_REFUSED: Final = f"refused ({REJECTED_COLUMN_LIST})"


class ReplayError(Exception):
    """Rejected lines cannot be replayed. The text says which and what to do; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which rejected lines: by how one of their reasons begins, by landing days, by load. At least one must be given.

    Raises ValueError when none is: rejected lines of years are not to be read by a slip.
    """

    reason: str | None = None
    landing_days: Window | None = None
    load_id: int | None = None

    def __post_init__(self) -> None:
        if not self.reason and self.landing_days is None and self.load_id is None:
            raise ValueError(
                "say which rejected lines to replay: how their reason begins (such as 'occurredAt:'), their landing"
                " days, or their load"
            )


@dataclass(frozen=True, slots=True)
class ReplayReport:
    """What the replay of one load's lines came to, in lines; lines_read = usable + refused + not_tracked.

    `usable` lines are events now: accepted, duplicates or rate-limited.
    """

    load_id: int
    file: str
    lines_read: int = 0
    usable: int = 0
    refused: int = 0
    not_tracked: int = 0
    event_dates: tuple[date, ...] = ()


@dataclass(slots=True)
class _Load:
    """A loaded file of the ledger with rejected lines that are asked for."""

    load_id: int
    file: LandingFile
    checksum: str


@dataclass(slots=True)
class _Outcomes:
    """What the lines of a file came to, as far as it must be kept until all have been read."""

    lines_read: int = 0
    refused: int = 0
    # Objects of lines that were rejected whole before lines were cut into objects: the ledger does not count them yet.
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
    """Judge the selected rejected lines again, load by load, each in a transaction of its own.

    Lines that are still refused get today's reasons. Replaying again changes nothing. Raises ReplayError, before
    anything is changed, when a landing file is gone or is not the one that was loaded; LandingError when one cannot be
    read; ValueError inside a transaction of the caller.
    """
    if connection.info.transaction_status != TransactionStatus.IDLE:
        raise ValueError("a load is replayed in a transaction of its own: commit the connection's first")
    loads = _matching_loads(connection, root, selection)
    reports = []
    for load in loads:
        validator = LineValidator(
            landing_date=load.file.landing_date, start_date=start_date, encryption=encryption, rules=rules
        )
        with connection.transaction(), connection.cursor() as cursor:
            report = _replay_load(cursor, load, selection, validator)
        if on_load:
            on_load(report)
        reports.append(report)
    return reports


def _matching_loads(connection: psycopg.Connection, root: LandingRoot | Path, selection: Selection) -> list[_Load]:
    days = selection.landing_days
    rows = connection.execute(
        f"""
        select load_id, landing_date, file, checksum
        from ops.loads
        where replaced_by is null
            and (%(load_id)s::bigint is null or load_id = %(load_id)s)
            and (%(start)s::date is null or (landing_date >= %(start)s and landing_date < %(end)s))
            and exists (select from raw.rejected_events as rejected
                where rejected.load_id = loads.load_id and {_MATCHES})
        order by landing_date, file
        """,
        {
            "load_id": selection.load_id,
            "start": days and days.start,
            "end": days and days.end,
            "reason": selection.reason,
        },
    ).fetchall()
    loads = []
    files: dict[date, dict[str, LandingFile]] = {}
    for load_id, landing_date, name, checksum in rows:
        if landing_date not in files:
            found = landing.landing_files(root, Window.day(landing_date))
            files[landing_date] = {file.name: file for file in found}
        file = files[landing_date].get(name)
        if file is None:
            raise ReplayError(
                f"the landing file {name} is gone, and its rejected lines with it: put it back, or choose"
                " other lines. Nothing was replayed"
            )
        if reading.checksum(file) != checksum:
            raise ReplayError(
                f"the landing file {file.location} is not the one that was loaded: load landing day {landing_date}"
                " again, which judges all its lines by today's rules. Nothing was replayed"
            )
        loads.append(_Load(load_id, file, checksum))
    return loads


def _replay_load(cursor: psycopg.Cursor, load: _Load, selection: Selection, validator: LineValidator) -> ReplayReport:
    cursor.execute("set local synchronous_commit = on")
    cursor.execute("set local timezone = 'UTC'")
    cursor.execute("select ops.hold_writer()")
    # As loads do: the ledger's counts and the rows they count change together.
    cursor.execute("lock table ops.loads in share row exclusive mode")
    cursor.execute(
        f"select line_number, line_position, line_bytes from raw.rejected_events as rejected"
        f" where load_id = %(load_id)s and {_MATCHES}",
        {"load_id": load.load_id, "reason": selection.reason},
    )
    asked_for = {(number, position): line_bytes for number, position, line_bytes in cursor}
    cursor.execute(candidates.CREATE)
    cursor.execute(_CREATE_REFUSED)
    outcomes = _judge(cursor, load, asked_for, validator)
    cursor.execute(
        f"""
        insert into raw.rejected_events as rejected ({REJECTED_COLUMN_LIST})
        select {REJECTED_COLUMN_LIST} from refused
        on conflict (load_id, line_number, line_position) do update
        set line = excluded.line, line_bytes = excluded.line_bytes, reasons = excluded.reasons
        where (rejected.line, rejected.line_bytes, rejected.reasons)
            is distinct from (excluded.line, excluded.line_bytes, excluded.reasons)
        """
    )
    gone = [*outcomes.usable, *outcomes.not_tracked]
    if gone or outcomes.uncounted:
        cursor.execute(
            "delete from raw.rejected_events where load_id = %s and (line_number, line_position) in"
            " (select * from unnest(%s::bigint[], %s::integer[]))",
            [load.load_id, [number for number, _ in gone], [position for _, position in gone]],
        )
        cursor.execute(
            """
            update ops.loads
            set lines_read = lines_read + %s, rejected = rejected + %s, not_tracked = not_tracked + %s,
                event_dates = array(select distinct day from unnest(event_dates || %s::date[]) as day order by day)
            where load_id = %s
            """,
            [
                outcomes.uncounted, outcomes.uncounted - len(gone), len(outcomes.not_tracked),
                sorted(outcomes.event_dates), load.load_id,
            ],
        )  # fmt: skip
    if outcomes.usable:
        load_log.note(cursor, load.load_id, outcomes.notes)
        cursor.execute("select nextval('ops.change_id_seq')")
        (change_id,) = cursor.fetchone() or (0,)
        # A verdict on raw from before this change says nothing of the days that it touches.
        cursor.execute("update ops.loads set change_id = %s where load_id = %s", [change_id, load.load_id])
        # Counts what becomes of the candidates: accepted, duplicate, or rejected again as rate limited.
        resolve(cursor, change_id=change_id)
    return ReplayReport(
        load.load_id,
        load.file.name,
        lines_read=outcomes.lines_read,
        usable=len(outcomes.usable),
        refused=outcomes.refused,
        not_tracked=len(outcomes.not_tracked),
        event_dates=tuple(sorted(outcomes.event_dates)),
    )


def _judge(cursor: psycopg.Cursor, load: _Load, asked_for: Mapping[_Place, int], validator: LineValidator) -> _Outcomes:
    """Send the lines that were asked for to the tables contenders and refused, by today's rules."""
    outcomes = _Outcomes()
    outbox = Outbox(cursor)
    # All lines are read, also those that nobody asked for: only then is the file known to be the one that was loaded.
    whole_line = None
    for number, position, line in _objects(load, {number for number, _ in asked_for}):
        place = number, position
        rejected_bytes = asked_for.get(place)
        if rejected_bytes is not None:
            if rejected_bytes > _length(line):
                whole_line = number
        elif number == whole_line:
            outcomes.uncounted += 1
        else:
            continue
        outcomes.lines_read += 1
        outcome = validator.validate(line) if isinstance(line, bytes) else validator.reject_unread(line)
        if isinstance(outcome, Accepted):
            outbox.put(TO_CONTENDERS, [candidate_row(*event_row(outcome, load.load_id, number, position))])
            outcomes.usable.append(place)
            outcomes.event_dates.add(outcome.event_date)
            outcomes.notes.update(outcome.notes)
        elif isinstance(outcome, NotTracked):
            outcomes.not_tracked.append(place)
        else:
            row = rejected_row(outcome.line, outcome.line_bytes, outcome.reasons, load.load_id, number, position)
            outbox.put(_TO_REFUSED, [row])
            outcomes.refused += 1
    outbox.send()
    return outcomes


def _objects(load: _Load, numbers: Container[int]) -> Iterator[Placed]:
    """Yield what loads take for lines of their own, of the lines with these numbers."""
    for number, position, line in reading.read_lines(load.file, load.checksum):
        if number not in numbers:
            continue
        if position == 1 and isinstance(line, bytes) and not is_json(line):
            yield from ((number, place, piece) for place, piece in objects_of(line))
        else:
            yield number, position, line


def _length(line: Line) -> int:
    return len(line) if isinstance(line, bytes) else line.line_bytes
