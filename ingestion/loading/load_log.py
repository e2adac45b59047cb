"""The load log, ops.loads: which version of each landing file is loaded, and the counts of its lines."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

import psycopg
from psycopg.types.json import Jsonb

from ingestion.landing import reading
from ingestion.landing.files import LandingFile
from ingestion.loading.batch_validation import BatchResult
from ingestion.loading.row_router import LoadTally
from ingestion.validation.notes import OUTCOMES, Note, counts_of, notes_of
from warehouse import retention
from warehouse.single_values import value_of
from warehouse.window import ONE_DAY

# Two changes within a tick of a file system's clock have the same version.
_TICK: Final = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class LoadedVersion:
    """A row of ops.loads: the loaded version of a file."""

    load_id: int
    checksum: str
    file_version: str | None
    rules_digest: str | None
    file_bytes: int


def current(cursor: psycopg.Cursor, landing_date: date) -> dict[str, LoadedVersion]:
    """Return the loaded versions of a landing day's files by file name."""
    cursor.execute(
        "select file, load_id, checksum, file_version, rules_digest, file_bytes from ops.loads"
        " where landing_date = %s and replaced_by is null",
        [landing_date],
    )
    return {file: LoadedVersion(*columns) for file, *columns in cursor}


def has_changed(loaded: LoadedVersion | None, file: LandingFile) -> bool:
    """Return True if the content of a file is not the loaded one. Raises LandingError.

    Compare by storage version first; only a changed version is read and checksummed. From an object store reading
    costs as much as loading.
    """
    if loaded is None:
        return True
    return not has_same_version(loaded, file) and reading.checksum(file) != loaded.checksum


def has_same_version(loaded: LoadedVersion, file: LandingFile) -> bool:
    """Return True if the storage version of a file is the one of the last comparison. Reads no content."""
    return loaded.file_version is not None and loaded.file_version == _version(file)


def save_file_versions(
    cursor: psycopg.Cursor, loaded: Mapping[str, LoadedVersion], unchanged: Sequence[LandingFile]
) -> None:
    """Save the storage version of files whose checksum is unchanged."""
    for file in unchanged:
        saved, version = loaded[file.name], _reliable_version(file)
        if version is not None and saved.file_version != version:
            cursor.execute("update ops.loads set file_version = %s where load_id = %s", [version, saved.load_id])


def has_other_rules(loaded: LoadedVersion | None, rules_digest: str) -> bool:
    """Return True if a file was loaded under other rules than those of this digest. Old loads have no digest."""
    return loaded is not None and loaded.rules_digest != rules_digest


def insert_load(
    cursor: psycopg.Cursor, file: LandingFile, change_id: int, previous: int | None, *, rules_digest: str
) -> int:
    """Insert the load of a file that is about to be read, in place of the load that it replaces. Return its load id."""
    if previous is not None:
        # The unique index allows one loaded version of a file, so the previous one gives way first.
        cursor.execute("update ops.loads set replaced_by = load_id where load_id = %s", [previous])
    load_id = value_of(
        cursor,
        "insert into ops.loads (change_id, landing_date, file, checksum, file_bytes, file_version, lines_read,"
        " accepted, rejected, duplicates, not_tracked, late, event_dates, rules_digest)"
        " values (%s, %s, %s, '', %s, %s, 0, 0, 0, 0, 0, 0, '{}', %s) returning load_id",
        [change_id, file.landing_date, file.name, file.size, _reliable_version(file), rules_digest],
    )
    if previous is not None:
        cursor.execute("update ops.loads set replaced_by = %s where load_id = %s", [load_id, previous])
    return int(load_id)


def update_counts(
    cursor: psycopg.Cursor, load_id: int, previous: int | None, checksum: str, tally: LoadTally, landing_date: date
) -> None:
    """Update the counts of a load whose file has been read.

    Candidates are added when they are deduplicated, and deferred lines when they are explained.
    """
    # A replacement also changes the days of the previous version.
    touched = tally.event_dates | changeable_event_dates(cursor, [] if previous is None else [previous])
    late = sum(rows for event_date, rows in tally.stored.items() if event_date < landing_date - ONE_DAY)
    accepted = sum(tally.stored.values())
    cursor.execute(
        "update ops.loads set checksum = %s, lines_read = %s, accepted = %s, rejected = %s, not_tracked = %s,"
        " erased = %s, late = %s, event_dates = %s where load_id = %s",
        [
            checksum, tally.lines_read, accepted, tally.rejected, tally.not_tracked, tally.erased, late,
            sorted(touched), load_id,
        ],
    )  # fmt: skip
    # The empty lines of a file that an erasure has rewritten stay counted when the file is loaded again.
    cursor.execute(
        "update ops.loads set lines_read = loads.lines_read + before.erased, erased = loads.erased + before.erased"
        " from ops.loads as before where before.load_id = %s and before.checksum = %s and loads.load_id = %s",
        [previous, checksum, load_id],
    )
    add_notes(cursor, load_id, tally.notes)


def add_rejections(cursor: psycopg.Cursor, result: BatchResult) -> None:
    """Add the deferred lines of a load, now explained, to its counts."""
    cursor.execute(
        "update ops.loads set rejected = rejected + %s, not_tracked = not_tracked + %s, erased = erased + %s"
        " where load_id = %s",
        [len(result.rejected), result.not_tracked, result.erased, result.load_id],
    )


def add_notes(cursor: psycopg.Cursor, load_id: int, notes: Mapping[Note, int]) -> None:
    """Add notes on valid events to those of their load."""
    if not notes:
        return
    counts = counts_of(notes_in(cursor, [load_id]) + Counter(notes))
    cursor.execute(
        "update ops.loads set dropped_fields = %s, placeholder_ids = %s, hashed_ids = %s where load_id = %s",
        [*(Jsonb(counts[outcome]) for outcome in OUTCOMES), load_id],
    )


def notes_in(cursor: psycopg.Cursor, load_ids: Sequence[int]) -> Counter[Note]:
    """Return the notes on the valid events of loads."""
    cursor.execute(
        "select dropped_fields, placeholder_ids, hashed_ids from ops.loads where load_id = any(%s)", [list(load_ids)]
    )
    return notes_of(column for row in cursor for column in zip(OUTCOMES, row, strict=True))


def event_dates(cursor: psycopg.Cursor, load_ids: Sequence[int]) -> set[date]:
    """Return the event days that loads have changed."""
    cursor.execute("select unnest(event_dates) from ops.loads where load_id = any(%s)", [list(load_ids)])
    return {day for (day,) in cursor}


def changeable_event_dates(cursor: psycopg.Cursor, load_ids: Sequence[int]) -> set[date]:
    """Return the event days of loads that are not sealed."""
    first_unsealed = retention.sealed_before(cursor)
    return {day for day in event_dates(cursor, load_ids) if first_unsealed is None or day >= first_unsealed}


def _version(file: LandingFile) -> str:
    """Return the version of a file by its storage, without reading it."""
    return f"{file.entry.version} {file.entry.modified_at.isoformat()}"


def _reliable_version(file: LandingFile) -> str | None:
    """Return the version, or None if it is too recent to be reliable (clock resolution)."""
    return _version(file) if file.entry.modified_at < datetime.now(UTC) - _TICK else None
