"""One landing day's files → raw tables and ledger rows, in one transaction. What a line is worth is decided in
validation/, where its row goes first in candidates/, which of several copies is stored in resolution/.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final

import psycopg
from psycopg.pq import TransactionStatus

from ingestion.candidates.intake import Intake, LoadTally
from ingestion.candidates.judging import Rules
from ingestion.candidates.workers import Judges
from ingestion.encryption.props import PropEncryption
from ingestion.landing import files as landing
from ingestion.landing import reading
from ingestion.landing.files import LandingFile, LandingRoot
from ingestion.resolution import contenders
from ingestion.resolution.resolving import resolve
from ingestion.window import ONE_DAY, Window

_TICK: Final = timedelta(seconds=2)
# How much smaller events are in a packed file, about.
_PACKED: Final = 6


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
    file_version: str | None
    loaded_at: datetime

    def is_of(self, file: LandingFile) -> bool:
        """Whether this certainly is the file that was loaded, by what the storage says of it."""
        # Two changes within a tick of the storage's clock may look alike.
        return file.entry.version == self.file_version and file.entry.modified_at < self.loaded_at - _TICK


def load_window(
    connection: psycopg.Connection,
    *,
    root: LandingRoot | Path,
    window: Window,
    start_date: date,
    encryption: PropEncryption | None = None,
    on_day: Callable[[LoadReport], None] | None = None,
    processes: int | None = None,
) -> list[LoadReport]:
    """Load every landing day of the window, oldest first, each in a transaction of its own.

    Lines are judged by so many `processes`, by default one for each core and at most four; 1 starts none. Raises
    LandingError when a file cannot be read; the days before it are loaded, nothing of its own day is.
    """
    reports = []
    with Judges(processes) as judges:
        for landing_date in window.days():
            report = load_landing_day(
                connection,
                root=root,
                landing_date=landing_date,
                start_date=start_date,
                encryption=encryption,
                judges=judges,
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
    judges: Judges | None = None,
) -> LoadReport:
    """Make the files of one landing day visible in raw: all of them, with their ledger rows, or nothing.

    A file that is loaded already, by its name and checksum, changes nothing; one whose content has changed replaces
    exactly its own rows. Events before `start_date` are rejected; props that `encryption` names are encrypted. Lines
    are judged by `judges`, otherwise in this process. Raises LandingError when a file cannot be read, WorkerFailed when
    a process of the judges ends, and ValueError inside a transaction of the caller, which could take back what is
    reported as loaded.
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
        checksums = {file.name: _checksum(ledger.get(file.name), file) for file in files}
        changed = [file for file in files if not _is_loaded(ledger, file, checksums[file.name])]
        _remember_versions(cursor, ledger, [file for file in files if file not in changed])
        report = LoadReport(
            landing_date,
            loaded=tuple(file.name for file in changed),
            unchanged=tuple(file.name for file in files if file not in changed),
            missing=tuple(sorted(ledger.keys() - checksums.keys())),
        )
        if not changed:
            return report
        cursor.execute("select nextval('ops.change_id_seq')")
        (change_id,) = cursor.fetchone() or (0,)
        cursor.execute(contenders.CREATE)
        judges = judges or Judges(processes=1)
        judges.follow(Rules(landing_date, start_date, encryption), sum(map(_unpacked_bytes, changed)))
        intake = Intake(cursor)
        loads: dict[int, int | None] = {}
        for file in changed:
            previous = ledger[file.name].load_id if file.name in ledger else None
            load_id = _enter(cursor, file, checksums[file.name], change_id, previous)
            loads[load_id] = previous
            # What was read is checked against the checksum after the last line: the rows of a file that was still
            # being written are taken back with the rest of its landing day.
            for portion in reading.read(file, checksums[file.name]):
                for judged in judges.judge(load_id, portion):
                    intake.take(judged)
        for judged in judges.rest():
            intake.take(judged)
        placed = intake.finish()
        for load_id, previous in loads.items():
            _count(cursor, load_id, previous, intake.tallies[load_id], landing_date)
        replaced = [previous for previous in loads.values() if previous is not None]
        resolve(
            cursor,
            change_id=change_id,
            replaced=replaced,
            fresh=list(loads),
            placed=placed,
            crowded_dates=intake.crowded_dates(),
        )
        return _completed(cursor, report, list(loads))


def _current_loads(cursor: psycopg.Cursor, landing_date: date) -> dict[str, _LedgerEntry]:
    cursor.execute(
        "select file, load_id, checksum, file_version, loaded_at from ops.loads"
        " where landing_date = %s and replaced_by is null",
        [landing_date],
        # As text, times would be spelled in the session's own way.
        binary=True,
    )
    return {file: _LedgerEntry(*entry) for file, *entry in cursor}


def _checksum(entry: _LedgerEntry | None, file: LandingFile) -> str:
    # To read a file that is far away costs as much as to load it.
    return entry.checksum if entry is not None and entry.is_of(file) else reading.checksum(file)


def _remember_versions(cursor: psycopg.Cursor, ledger: dict[str, _LedgerEntry], unchanged: list[LandingFile]) -> None:
    """Enter how files look now whose content is the one that was loaded, so that they are not read the next time."""
    for file in unchanged:
        entry = ledger[file.name]
        if entry.file_version != file.entry.version:
            cursor.execute(
                "update ops.loads set file_version = %s where load_id = %s", [file.entry.version, entry.load_id]
            )


def _is_loaded(ledger: dict[str, _LedgerEntry], file: LandingFile, checksum: str) -> bool:
    entry = ledger.get(file.name)
    return entry is not None and entry.checksum == checksum


def _enter(cursor: psycopg.Cursor, file: LandingFile, checksum: str, change_id: int, previous: int | None) -> int:
    """Enter a file in the ledger, in the place of the load that it replaces. Returns its load id."""
    if previous is not None:
        # The file's place as the loaded version is free before the new version takes it.
        cursor.execute("update ops.loads set replaced_by = load_id where load_id = %s", [previous])
    cursor.execute(
        "insert into ops.loads (change_id, landing_date, file, checksum, file_bytes, file_version, lines_read,"
        " accepted, rejected, duplicates, not_tracked, late, event_dates)"
        " values (%s, %s, %s, %s, %s, %s, 0, 0, 0, 0, 0, 0, '{}') returning load_id",
        [change_id, file.landing_date, file.name, checksum, file.size, file.entry.version],
    )
    (load_id,) = cursor.fetchone() or (0,)
    if previous is not None:
        cursor.execute("update ops.loads set replaced_by = %s where load_id = %s", [load_id, previous])
    return int(load_id)


def _unpacked_bytes(file: LandingFile) -> int:
    """About how many bytes of lines a file holds."""
    return file.size if file.name.endswith((".ndjson", ".json")) else file.size * _PACKED


def _count(cursor: psycopg.Cursor, load_id: int, previous: int | None, tally: LoadTally, landing_date: date) -> None:
    """Enter in the ledger what is known of a load before its contenders are settled."""
    # The days that the previous version touched are touched by its replacement.
    event_dates = tally.event_dates | _event_dates(cursor, [] if previous is None else [previous])
    late = sum(rows for event_date, rows in tally.stored.items() if event_date < landing_date - ONE_DAY)
    cursor.execute(
        "update ops.loads set lines_read = %s, accepted = %s, rejected = %s, not_tracked = %s, late = %s,"
        " event_dates = %s where load_id = %s",
        [
            tally.lines_read,
            sum(tally.stored.values()),
            tally.rejected,
            tally.not_tracked,
            late,
            sorted(event_dates),
            load_id,
        ],
    )


def _completed(cursor: psycopg.Cursor, report: LoadReport, load_ids: list[int]) -> LoadReport:
    counts = ("lines_read", "accepted", "rejected", "duplicates", "not_tracked", "late")
    sums = ", ".join(f"sum({count})::bigint" for count in counts)
    cursor.execute(f"select {sums} from ops.loads where load_id = any(%s)", [load_ids])
    totals = dict(zip(counts, cursor.fetchone() or (), strict=True))
    return replace(report, **totals, event_dates=tuple(sorted(_event_dates(cursor, load_ids))))


def _event_dates(cursor: psycopg.Cursor, load_ids: Iterable[int]) -> set[date]:
    cursor.execute("select unnest(event_dates) from ops.loads where load_id = any(%s)", [list(load_ids)])
    return {day for (day,) in cursor}
