"""The ledger of loads, ops.loads: which version of each landing file is loaded, and what became of its lines."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

import psycopg
from psycopg.types.json import Jsonb

from ingestion.landing import reading
from ingestion.landing.files import LandingFile
from ingestion.loading.row_router import LoadTally
from ingestion.validation.notes import OUTCOMES, Note, counts_of, notes_of
from warehouse.window import ONE_DAY

# Two changes within a tick of a file system's clock look alike.
_TICK: Final = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Entry:
    """A loaded version of a file."""

    load_id: int
    checksum: str
    file_version: str | None
    rules_digest: str | None
    file_bytes: int


def current(cursor: psycopg.Cursor, landing_date: date) -> dict[str, Entry]:
    """The loaded versions of a landing day's files, by the names of these."""
    cursor.execute(
        "select file, load_id, checksum, file_version, rules_digest, file_bytes from ops.loads"
        " where landing_date = %s and replaced_by is null",
        [landing_date],
    )
    return {file: Entry(*entry) for file, *entry in cursor}


def has_changed(entry: Entry | None, file: LandingFile) -> bool:
    """Whether the content of a file is not the one that was loaded. Raises LandingError.

    A file that lies there as it was seen last is not read: from far away that costs as much as to load it.
    """
    if entry is None:
        return True
    return not is_as_seen(entry, file) and reading.checksum(file) != entry.checksum


def is_as_seen(entry: Entry, file: LandingFile) -> bool:
    """Tell, without reading it, whether a file lies there as it was when its content was last compared."""
    return entry.file_version is not None and entry.file_version == _version(file)


def remember(cursor: psycopg.Cursor, loaded: Mapping[str, Entry], unchanged: Sequence[LandingFile]) -> None:
    """Enter how files look whose content turned out to be the one that was loaded."""
    for file in unchanged:
        entry, version = loaded[file.name], _settled_version(file)
        if version is not None and entry.file_version != version:
            cursor.execute("update ops.loads set file_version = %s where load_id = %s", [version, entry.load_id])


def has_other_rules(entry: Entry | None, rules_digest: str) -> bool:
    """Tell whether a file was loaded under other rules than those of this digest. Older loads have none on record."""
    return entry is not None and entry.rules_digest != rules_digest


def enter(cursor: psycopg.Cursor, file: LandingFile, change_id: int, previous: int | None, *, rules_digest: str) -> int:
    """Enter a file that is going to be read, in the place of the load that it replaces. Returns its load id."""
    if previous is not None:
        # The file's place as the loaded version is free before the new version takes it.
        cursor.execute("update ops.loads set replaced_by = load_id where load_id = %s", [previous])
    cursor.execute(
        "insert into ops.loads (change_id, landing_date, file, checksum, file_bytes, file_version, lines_read,"
        " accepted, rejected, duplicates, not_tracked, late, event_dates, rules_digest)"
        " values (%s, %s, %s, '', %s, %s, 0, 0, 0, 0, 0, 0, '{}', %s) returning load_id",
        [change_id, file.landing_date, file.name, file.size, _settled_version(file), rules_digest],
    )
    (load_id,) = cursor.fetchone() or (0,)
    if previous is not None:
        cursor.execute("update ops.loads set replaced_by = %s where load_id = %s", [load_id, previous])
    return int(load_id)


def count(
    cursor: psycopg.Cursor, load_id: int, previous: int | None, checksum: str, tally: LoadTally, landing_date: date
) -> None:
    """Enter what is known of a load whose file has been read, before its contenders are settled."""
    # The days that the previous version touched are touched by its replacement.
    touched = tally.event_dates | event_dates(cursor, [] if previous is None else [previous])
    late = sum(rows for event_date, rows in tally.stored.items() if event_date < landing_date - ONE_DAY)
    accepted = sum(tally.stored.values())
    cursor.execute(
        "update ops.loads set checksum = %s, lines_read = %s, accepted = %s, rejected = %s, not_tracked = %s,"
        " late = %s, event_dates = %s where load_id = %s",
        [checksum, tally.lines_read, accepted, tally.rejected, tally.not_tracked, late, sorted(touched), load_id],
    )
    note(cursor, load_id, tally.notes)


def note(cursor: psycopg.Cursor, load_id: int, notes: Mapping[Note, int]) -> None:
    """Add what did not count of usable events to what the ledger has of their load."""
    if not notes:
        return
    counts = counts_of(notes_in(cursor, [load_id]) + Counter(notes))
    cursor.execute(
        "update ops.loads set dropped_fields = %s, placeholder_ids = %s, hashed_ids = %s where load_id = %s",
        [*(Jsonb(counts[outcome]) for outcome in OUTCOMES), load_id],
    )


def notes_in(cursor: psycopg.Cursor, load_ids: Sequence[int]) -> Counter[Note]:
    """Return what did not count of the usable events of loads."""
    cursor.execute(
        "select dropped_fields, placeholder_ids, hashed_ids from ops.loads where load_id = any(%s)", [list(load_ids)]
    )
    return notes_of(column for row in cursor for column in zip(OUTCOMES, row, strict=True))


def event_dates(cursor: psycopg.Cursor, load_ids: Sequence[int]) -> set[date]:
    """The event days that loads have touched."""
    cursor.execute("select unnest(event_dates) from ops.loads where load_id = any(%s)", [list(load_ids)])
    return {day for (day,) in cursor}


def _version(file: LandingFile) -> str:
    """What the storage says of the content of a file without reading it."""
    return f"{file.entry.version} {file.entry.modified_at.isoformat()}"


def _settled_version(file: LandingFile) -> str | None:
    """The same; None while a further change might not show in it."""
    return _version(file) if file.entry.modified_at < datetime.now(UTC) - _TICK else None
