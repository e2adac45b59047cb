"""Watermarks of the application's tables, and the limit of plausible deletions.

Watermarks are in ops.application_reads. A table with `updated_at` is read from the end of its last read, any other in
full. Ids are always compared in full, so no deletion is missed. An incremental and a full read give equal versions, as
long as `updated_at` moves with every change. FULL_READ_DAYS limits how long another change stays unseen.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable
from dataclasses import astuple, dataclass
from datetime import date
from typing import Final

import psycopg

from ingestion.application.schema import Table
from ingestion.application.source import FoundTable
from warehouse.single_values import value_of
from warehouse.upserts import upsert

# `updated_at` is set when a transaction begins or writes, and becomes visible when it commits. A change that commits up
# to this long afterwards is still found. A day exceeds any sane transaction, and the hour that a local clock repeats.
OVERLAP_HOURS: Final = 24
# A manual statement may leave `updated_at` unchanged.
FULL_READ_DAYS: Final = 7
# In normal operation a table never loses more than this share, and at least so many rows, between two reads.
MAX_REMOVED_SHARE: Final = 0.5
MIN_ROWS_OF_A_SHARE: Final = 20


class ApplicationRowsMissing(Exception):
    """An implausible loss of rows: a wrong or empty database is likelier than deletions."""


@dataclass(frozen=True, slots=True)
class Watermark:
    """The end of a table's last read. `changed_until` is a time in UTC as text, None after a read without times."""

    source_fingerprint: str
    changed_until: str | None
    full_read_date: date


def fingerprint(table: Table, found: FoundTable, key: bytes) -> str:
    """Return a digest of all that determines the content of versions: the table, its columns and the hash key."""
    has_email = any(column.kind == "email" for column in table.columns)
    key_digest = hmac.new(key, b"fingerprint", hashlib.sha256).hexdigest() if has_email else ""
    parts = [found.identity, [(column.raw_name, column.raw_type) for column in table.columns], key_digest]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def load_watermark(cursor: psycopg.Cursor, table: Table) -> Watermark | None:
    """Return the watermark of a table, None before its first read."""
    cursor.execute(
        "select source_fingerprint, changed_until::text, full_read_date from ops.application_reads"
        " where table_name = %s",
        [table.name],
    )
    row = cursor.fetchone()
    return Watermark(*row) if row else None


def changed_since(
    cursor: psycopg.Cursor,
    watermark: Watermark | None,
    *,
    source_fingerprint: str,
    last_change: str | None,
    today: date,
) -> str | None:
    """Return the time from which changes have to be read, as text in UTC; None for a full read.

    A read is full at first, after FULL_READ_DAYS, after a change of the fingerprint, and when the last change is before
    the watermark, as in a database restored from a backup.
    """
    if watermark is None or watermark.changed_until is None or last_change is None:
        return None
    days_since_full_read = (today - watermark.full_read_date).days
    if watermark.source_fingerprint != source_fingerprint or not 0 <= days_since_full_read < FULL_READ_DAYS:
        return None
    since: str | None = value_of(
        cursor,
        "select (%(seen)s::timestamptz - make_interval(hours => %(overlap)s))::text"
        " where %(last_change)s::timestamptz >= %(seen)s::timestamptz",
        {"seen": watermark.changed_until, "overlap": OVERLAP_HOURS, "last_change": last_change},
    )
    return since


def save_watermark(cursor: psycopg.Cursor, table: Table, watermark: Watermark, current_rows: int) -> None:
    """Insert or update the watermark of a table."""
    values = ("source_fingerprint", "changed_until", "full_read_date", "current_rows")
    statement = upsert("ops.application_reads", ["table_name"], values, renewed=["read_at"])
    cursor.execute(statement, [table.name, *astuple(watermark), current_rows])


def is_implausible(*, before: int, after: int, removed: int) -> bool:
    """Return whether a loss of `removed` of `before` rows, down to `after`, is implausible."""
    if before and not after:
        return True
    return removed >= MIN_ROWS_OF_A_SHARE and removed > before * MAX_REMOVED_SHARE


def reject_losses(losses: Iterable[tuple[str, int, int]], source: psycopg.Connection) -> None:
    """Raise ApplicationRowsMissing if there are any implausible losses: (table, rows before, removed rows)."""
    tables = sorted(losses)
    if not tables:
        return
    listed = "; ".join(f"{name}: {removed:,} of {before:,} rows are gone" for name, before, removed in tables)
    names = ", ".join(name for name, _, _ in tables)
    raise ApplicationRowsMissing(
        f"the application's database {source.info.dbname} has lost too much to be believed ({listed}); nothing was"
        " stored. If APP_DATABASE_URL points to the wrong database, or to one that is being restored, correct that and"
        " run again. If the rows were really deleted, say so once, in the config of a run of the step"
        f" raw_application_tables: accept_removals: [{names}]"
    )
