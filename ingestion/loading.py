"""One landing day's files → raw tables and ledger rows, in one transaction. What a line is worth is decided in
validation/, which of several copies is stored in resolution.py.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Final

import psycopg
from psycopg.pq import TransactionStatus

from ingestion import resolution
from ingestion.candidates import copy_candidates
from ingestion.encryption.props import PropEncryption
from ingestion.landing import files as landing
from ingestion.landing import reading
from ingestion.landing.files import LandingFile, LandingRoot
from ingestion.validation.validator import Accepted, LineValidator, NotTracked, Rejected
from ingestion.window import Window

# Accepted and rejected rows go to the server in turns of one connection; 4,000 rows of 600 bytes stay below 5 MB.
BATCH_ROWS: Final = 4_000
# Of the lines they come from: 4,000 lines as long as lines may be would fill the memory.
BATCH_BYTES: Final = 8_388_608

_COPY_REJECTED: Final = "copy raw.rejected_events (line, line_bytes, reasons, load_id, line_number) from stdin"


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What the loads of one landing day came to; lines_read = accepted + rejected + duplicates + not_tracked.

    Counts are of the files loaded now, in lines; files that were loaded before and have not changed are `unchanged`.
    `missing` are files of the ledger that the landing folder no longer holds; what they brought stays loaded.
    """

    landing_date: date
    loaded: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    lines_read: int = 0
    accepted: int = 0
    rejected: int = 0
    duplicates: int = 0
    not_tracked: int = 0
    late: int = 0
    event_dates: tuple[date, ...] = ()


@dataclass(frozen=True, slots=True)
class _LedgerEntry:
    load_id: int
    checksum: str


def load_window(
    connection: psycopg.Connection,
    *,
    root: LandingRoot | Path,
    window: Window,
    start_date: date,
    encryption: PropEncryption | None = None,
    on_day: Callable[[LoadReport], None] | None = None,
) -> list[LoadReport]:
    """Load every landing day of the window, oldest first, each in a transaction of its own.

    Raises LandingError when a file cannot be read; the days before it are loaded, nothing of its own day is.
    """
    reports = []
    for landing_date in window.days():
        report = load_landing_day(
            connection, root=root, landing_date=landing_date, start_date=start_date, encryption=encryption
        )
        if on_day:
            on_day(report)
        reports.append(report)
    return reports


def load_landing_day(
    connection: psycopg.Connection,
    *,
    root: LandingRoot | Path,
    landing_date: date,
    start_date: date,
    encryption: PropEncryption | None = None,
) -> LoadReport:
    """Make the files of one landing day visible in raw: all of them, with their ledger rows, or nothing.

    A file that is loaded already, by its name and checksum, changes nothing; one whose content has changed replaces
    exactly its own rows. Events before `start_date` are rejected; props that `encryption` names are encrypted. Raises
    LandingError when a file cannot be read, and ValueError inside a transaction of the caller, which could take back
    what is reported as loaded.
    """
    if connection.info.transaction_status != TransactionStatus.IDLE:
        raise ValueError("a landing day is loaded in a transaction of its own: commit the connection's first")
    files = landing.landing_files(root, Window.day(landing_date))
    with connection.transaction(), connection.cursor() as cursor:
        # The ledger must not say "loaded" of what a crash of the server would lose.
        cursor.execute("set local synchronous_commit = on")
        cursor.execute("set local timezone = 'UTC'")
        cursor.execute("select ops.hold_writer()")
        # Two loads of one file would each find it missing from the ledger.
        cursor.execute("lock table ops.loads in share row exclusive mode")
        ledger = _current_loads(cursor, landing_date)
        checksums = {file.name: reading.checksum(file) for file in files}
        changed = [file for file in files if not _is_loaded(ledger, file, checksums[file.name])]
        report = LoadReport(
            landing_date,
            loaded=tuple(file.name for file in changed),
            unchanged=tuple(file.name for file in files if file not in changed),
            missing=tuple(sorted(ledger.keys() - checksums.keys())),
        )
        if not changed:
            return report
        cursor.execute("select nextval('ops.change_id_seq')")
        (change_id,) = cursor.fetchone() or (None,)
        cursor.execute(resolution.CREATE_CONTENDERS)
        load_ids = []
        validator = LineValidator(landing_date=landing_date, start_date=start_date, encryption=encryption)
        for file in changed:
            previous = ledger[file.name].load_id if file.name in ledger else None
            load_ids.append(_read_file(cursor, file, checksums[file.name], change_id, validator, previous))
        replaced = [ledger[file.name].load_id for file in changed if file.name in ledger]
        resolution.resolve(cursor, change_id=change_id, replaced=replaced)
        return _completed(cursor, report, load_ids)


def _current_loads(cursor: psycopg.Cursor, landing_date: date) -> dict[str, _LedgerEntry]:
    cursor.execute(
        "select file, load_id, checksum from ops.loads where landing_date = %s and replaced_by is null", [landing_date]
    )
    return {file: _LedgerEntry(load_id, checksum) for file, load_id, checksum in cursor}


def _is_loaded(ledger: dict[str, _LedgerEntry], file: LandingFile, checksum: str) -> bool:
    entry = ledger.get(file.name)
    return entry is not None and entry.checksum == checksum


def _read_file(
    cursor: psycopg.Cursor,
    file: LandingFile,
    checksum: str,
    change_id: int,
    validator: LineValidator,
    previous: int | None,
) -> int:
    """Enter a file in the ledger and send its candidates and rejected lines to the server. Returns its load id."""
    if previous is not None:
        # The file's place as the loaded version is free before the new version takes it.
        cursor.execute("update ops.loads set replaced_by = load_id where load_id = %s", [previous])
    cursor.execute(
        "insert into ops.loads (change_id, landing_date, file, checksum, file_bytes, lines_read, accepted, rejected,"
        " duplicates, not_tracked, late, event_dates) values (%s, %s, %s, %s, %s, 0, 0, 0, 0, 0, 0, '{}')"
        " returning load_id",
        [change_id, file.landing_date, file.name, checksum, file.size],
    )
    (load_id,) = cursor.fetchone() or (0,)
    if previous is not None:
        cursor.execute("update ops.loads set replaced_by = %s where load_id = %s", [load_id, previous])

    accepted: list[tuple[object, ...]] = []
    rejected: list[tuple[object, ...]] = []
    lines_read = rejected_lines = not_tracked = unsent_bytes = 0
    # The days that the previous version touched are touched by its replacement.
    event_dates = _event_dates(cursor, [] if previous is None else [previous])

    def send() -> None:
        if accepted:
            copy_candidates(cursor.connection, accepted)
            accepted.clear()
        if rejected:
            with cursor.copy(_COPY_REJECTED) as copy:
                for row in rejected:
                    copy.write_row(row)
            rejected.clear()

    # What was read is checked against the checksum after the last line: the rows of a file that was still being
    # written are taken back with the rest of its landing day.
    for line_number, line in reading.read_lines(file, checksum):
        lines_read += 1
        if isinstance(line, bytes):
            outcome = validator.validate(line)
            unsent_bytes += len(line)
        else:
            outcome = validator.reject_unread(line)
        match outcome:
            case Accepted(values):
                accepted.append((*values, load_id, line_number))
                event_dates.add(values[0])
            case Rejected(text, line_bytes, reasons):
                rejected_lines += 1
                rejected.append((text, line_bytes, list(reasons), load_id, line_number))
            case NotTracked():
                not_tracked += 1
        if len(accepted) + len(rejected) >= BATCH_ROWS or unsent_bytes >= BATCH_BYTES:
            send()
            unsent_bytes = 0
    send()
    cursor.execute(
        "update ops.loads set lines_read = %s, rejected = %s, not_tracked = %s, event_dates = %s where load_id = %s",
        [lines_read, rejected_lines, not_tracked, sorted(event_dates), load_id],
    )
    return int(load_id)


def _completed(cursor: psycopg.Cursor, report: LoadReport, load_ids: list[int]) -> LoadReport:
    counts = ("lines_read", "accepted", "rejected", "duplicates", "not_tracked", "late")
    sums = ", ".join(f"sum({count})::bigint" for count in counts)
    cursor.execute(f"select {sums} from ops.loads where load_id = any(%s)", [load_ids])
    totals = dict(zip(counts, cursor.fetchone() or (), strict=True))
    return replace(report, **totals, event_dates=tuple(sorted(_event_dates(cursor, load_ids))))


def _event_dates(cursor: psycopg.Cursor, load_ids: list[int]) -> set[date]:
    cursor.execute("select unnest(event_dates) from ops.loads where load_id = any(%s)", [load_ids])
    return {day for (day,) in cursor}
