"""How much of each of the application's tables a read has to look at, and what it may believe.

The state of the reads is in ops.application_reads. A table with `updated_at` is read from where the read before it
ended, without it in full; ids are compared in full every time, so deletions are always noticed. A read of the changes
and a read in full end at the same versions, as long as `updated_at` moves with every change; FULL_READ_DAYS bounds how
long a change stays unseen that did not move it.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

import psycopg

from ingestion.application.schema import Table
from ingestion.application.source import FoundTable

# `updated_at` is set when a transaction begins or writes, and seen when it commits: what was committed this long after
# its time is still found. A day is longer than any sane transaction, and than an hour that a local clock repeats.
OVERLAP_HOURS: Final = 24
# A statement typed by hand may leave `updated_at` as it was.
FULL_READ_DAYS: Final = 7
# More than this share of a table, and at least so many rows, do not vanish between two reads of a product that lives.
MAX_REMOVED_SHARE: Final = 0.5
MIN_ROWS_OF_A_SHARE: Final = 20


class ApplicationRowsMissing(Exception):
    """Tables have lost so many rows that another database, or an empty one, is likelier than deletions."""


@dataclass(frozen=True, slots=True)
class ReadState:
    """Where the last read of a table ended. `changed_until` is a time in UTC as text; without it nothing is known."""

    source_fingerprint: str
    changed_until: str | None
    full_read_date: date


def fingerprint(table: Table, found: FoundTable, key: bytes) -> str:
    """A digest of all that decides what a version holds: where the rows are, which columns, how they are hashed."""
    has_email = any(column.kind == "email" for column in table.columns)
    sealed = hmac.new(key, b"fingerprint", hashlib.sha256).hexdigest() if has_email else ""
    parts = [found.identity, [(column.raw_name, column.raw_type) for column in table.columns], sealed]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def state_of(cursor: psycopg.Cursor, table: Table) -> ReadState | None:
    cursor.execute(
        "select source_fingerprint, changed_until::text, full_read_date from ops.application_reads"
        " where table_name = %s",
        [table.name],
    )
    row = cursor.fetchone()
    return ReadState(*row) if row else None


def changed_since(
    cursor: psycopg.Cursor, state: ReadState | None, *, source_fingerprint: str, last_change: str | None, today: date
) -> str | None:
    """From which time on a table's changes have to be read, as text in UTC; None: it has to be read in full.

    In full: for the first time, after FULL_READ_DAYS, when anything but the rows is not what it was, and when the
    table's last change lies before the one that was seen, as in a database that was restored from a backup.
    """
    if state is None or state.changed_until is None or last_change is None:
        return None
    if state.source_fingerprint != source_fingerprint or not 0 <= (today - state.full_read_date).days < FULL_READ_DAYS:
        return None
    cursor.execute(
        "select (%(seen)s::timestamptz - make_interval(hours => %(overlap)s))::text"
        " where %(last_change)s::timestamptz >= %(seen)s::timestamptz",
        {"seen": state.changed_until, "overlap": OVERLAP_HOURS, "last_change": last_change},
    )
    row = cursor.fetchone()
    return row[0] if row else None


def record(cursor: psycopg.Cursor, table: Table, state: ReadState, current_rows: int) -> None:
    cursor.execute(
        """
        insert into ops.application_reads (table_name, source_fingerprint, changed_until, full_read_date, current_rows)
        values (%s, %s, %s, %s, %s)
        on conflict (table_name) do update set
            source_fingerprint = excluded.source_fingerprint,
            changed_until = excluded.changed_until,
            full_read_date = excluded.full_read_date,
            current_rows = excluded.current_rows,
            read_at = excluded.read_at
        """,
        [table.name, state.source_fingerprint, state.changed_until, state.full_read_date, current_rows],
    )


def is_implausible(*, before: int, after: int, removed: int) -> bool:
    """Whether a table that had `before` rows cannot be believed to have lost `removed` of them, down to `after`."""
    if before and not after:
        return True
    return removed >= MIN_ROWS_OF_A_SHARE and removed > before * MAX_REMOVED_SHARE


def refuse(implausible: Iterable[tuple[str, int, int]], source: psycopg.Connection) -> None:
    """Raise ApplicationRowsMissing for tables, each with its rows before and how many of them are gone, if any."""
    tables = sorted(implausible)
    if not tables:
        return
    losses = "; ".join(f"{name}: {removed:,} of {before:,} rows are gone" for name, before, removed in tables)
    names = ", ".join(name for name, _, _ in tables)
    raise ApplicationRowsMissing(
        f"the application's database {source.info.dbname} has lost too much to be believed ({losses}); nothing was"
        " stored. If APP_DATABASE_URL points to the wrong database, or to one that is being restored, correct that and"
        " run again. If the rows were really deleted, say so once, in the config of a run of the step"
        f" raw_application_tables: accept_removals: [{names}]"
    )
