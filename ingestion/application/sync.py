"""Synchronisation of the product's tables: changed rows are appended to schema raw as new versions.

schema.py declares the tables, source.py reads them, watermarks.py limits the read to changes, versions.py has the
statements of the warehouse. A read is one snapshot of the application and one transaction of the warehouse. Rows are
streamed and never held in memory.
"""

from collections.abc import Collection, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from ingestion.application import versions, watermarks
from ingestion.application.changed_terms import record_changed_terms
from ingestion.application.schema import TABLES, Table
from ingestion.application.source import (
    ApplicationSchemaError,
    FoundTable,
    begin_snapshot,
    find_table,
    last_change,
    stream_ids,
    stream_rows,
)
from ingestion.application.watermarks import Watermark
from ingestion.contract import MAX_CENTS
from ingestion.hashing import require_long_key
from ingestion.subjects.product_rows import redact_incoming
from ingestion.subjects.stored_ids import parameters_of_erased_ids
from warehouse.change_queues import next_change_id
from warehouse.locks import AdvisoryLock


@dataclass(frozen=True, slots=True)
class TableCounts:
    """Counts of one table. `versions_appended` includes the `removed` rows; `is_full` says that all rows were read."""

    rows_present: int
    rows_read: int
    versions_appended: int
    removed: int
    is_full: bool


@dataclass(frozen=True, slots=True)
class ApplicationReport:
    """Result of a read. `change_id` is None when nothing had changed since the last read."""

    observed_date: date
    change_id: int | None
    counts: Mapping[str, TableCounts]
    changed_licenses: int
    changed_terms: int

    @property
    def rows_read(self) -> int:
        return sum(counts.rows_read for counts in self.counts.values())

    @property
    def versions_appended(self) -> int:
        return sum(counts.versions_appended for counts in self.counts.values())


def read_application(
    source: psycopg.Connection,
    warehouse: psycopg.Connection,
    *,
    observed_date: date,
    hash_key: str,
    erasure_key: str = "",
    is_full: bool = False,
    accept_removals: Collection[str] = (),
) -> ApplicationReport:
    """Append a version to raw for every row of the application that is new, changed, deleted or restored.

    Reads one consistent snapshot of the application. One transaction (or savepoint) of the warehouse holds the versions
    of all tables, the watermarks, and the queues ops.changed_licenses and ops.changed_terms. Without a change, a second
    read appends nothing. After an error raw is as before.

    A version never gets an earlier day than the previous version of its row, whatever the `observed_date`. With
    `is_full` all rows of tables with `updated_at` are read, not only changes. `accept_removals` are tables that may
    lose most of their rows. Erased persons are left out, as far as `erasure_key` recognises them.

    Raises:
        ErasureKeyMissing: Persons were erased, and the key to recognise them is missing.
        ApplicationSchemaError: A table or column is missing, a type is unreadable, an id is repeated or missing, or an
            amount is over the limit.
        ApplicationUnavailable: The connection was lost, or the right to read is missing.
        ApplicationRowsMissing: A table outside `accept_removals` has lost most of its rows.
        ValueError: The key is short, the source is inside a transaction, or a table is unknown.
    """
    require_long_key(hash_key)
    if unknown := set(accept_removals) - {table.name for table in TABLES}:
        raise ValueError(f"accept_removals names no table of the application: {', '.join(sorted(unknown))}")
    if source.info.transaction_status != TransactionStatus.IDLE:
        raise ValueError("the connection to the application is inside a transaction: its snapshot may be an old one")
    with source.transaction(), warehouse.transaction(), warehouse.cursor() as cursor:
        begin_snapshot(source)
        # The hash of a version needs one text form of times, whatever the settings of the session.
        cursor.execute("set local timezone = 'UTC'")
        cursor.execute("set local datestyle = 'ISO'")
        # A reported read must survive a crash.
        cursor.execute("set local synchronous_commit = on")
        cursor.execute("select ops.assert_writer()")
        # The second of two reads at once waits, to see the versions of the first.
        cursor.execute("select pg_advisory_xact_lock(%s)", [AdvisoryLock.APPLICATION_READ])
        erased = parameters_of_erased_ids(cursor, erasure_key)
        found = {table: find_table(source, table) for table in TABLES}
        counts = {}
        implausible = []
        for table in TABLES:
            versions.create_incoming(cursor, table)
            rows, present = _copy(
                source, cursor, table, found[table], hash_key.encode(), observed_date, is_full, erased
            )
            compared = versions.compare(cursor, table, present=present, rows=rows, observed_date=observed_date)
            _reject_amounts_over_limit(table, versions.amounts_over_limit(cursor, table))
            after = rows if present is None else present
            counts[table.name] = TableCounts(
                after, rows, compared.versions_appended, compared.removed, is_full=present is None
            )
            if table.name not in accept_removals and watermarks.is_implausible(
                before=compared.before, after=after, removed=compared.removed
            ):
                implausible.append((table.name, compared.before, compared.removed))
        watermarks.reject_losses(implausible, source)
        change_id = None
        changed_licenses = changed_terms = 0
        if any(table_counts.versions_appended for table_counts in counts.values()):
            change_id = next_change_id(cursor)
            # Before the append: the changes are found by comparison with the previous versions.
            changed_licenses = versions.record_changed_licenses(cursor, change_id)
            changed_terms = record_changed_terms(cursor, change_id)
            for table in TABLES:
                versions.append(cursor, table, change_id)
        for table in TABLES:
            versions.drop_incoming(cursor, table)
    return ApplicationReport(observed_date, change_id, counts, changed_licenses, changed_terms)


def _reject_amounts_over_limit(table: Table, amounts: Sequence[tuple[str, str, int]]) -> None:
    if amounts:
        named = ", ".join(f"id {row_id}: {column} = {cents}" for row_id, column, cents in amounts)
        raise ApplicationSchemaError(
            f"the application's table {table.name} has amounts beyond {MAX_CENTS:,} cents, which must be mistakes:"
            f" {named}. Correct them in the application; nothing was read"
        )


def _copy(
    source: psycopg.Connection,
    cursor: psycopg.Cursor,
    table: Table,
    found: FoundTable | None,
    key: bytes,
    today: date,
    is_full: bool,
    erased: Mapping[str, Any] | None,
) -> tuple[int, int | None]:
    """Copy the rows of a table that may have changed, and save its watermark.

    Returns the number of copied rows, and the number of ids; None for the latter after a full read.
    """
    if found is None:
        return 0, None
    source_fingerprint = watermarks.fingerprint(table, found, key)
    last = last_change(source, table) if found.has_change_times else None
    watermark = watermarks.load_watermark(cursor, table)
    since = None
    if not is_full:
        since = watermarks.changed_since(
            cursor, watermark, source_fingerprint=source_fingerprint, last_change=last, today=today
        )
    present = None
    if since is not None:
        rows = _stream(cursor, table, stream_rows(source, table, key, changed_since=since), erased)
        present = _stream(cursor, table, stream_ids(source, table), erased, are_ids=True)
        if versions.has_unknown_ids(cursor, table):
            versions.clear_incoming(cursor, table)
            present = None
    if present is None:
        rows = _stream(cursor, table, stream_rows(source, table, key), erased)
    full_read_date = today if present is None or watermark is None else watermark.full_read_date
    watermark = Watermark(source_fingerprint, last, full_read_date)
    watermarks.save_watermark(cursor, table, watermark, rows if present is None else present)
    return rows, present


def _stream(
    cursor: psycopg.Cursor,
    table: Table,
    lines: Generator[bytes, None, None],
    erased: Mapping[str, Any] | None,
    *,
    are_ids: bool = False,
) -> int:
    """Copy rows or ids to their temporary table, without erased persons. Return their number in the application."""
    try:
        # The source is in the middle of a COPY, which has to end before the transaction does, also after an error.
        with closing(lines):
            rows = versions.copy_into(cursor, table, lines, are_ids=are_ids)
    except (psycopg.errors.UniqueViolation, psycopg.errors.NotNullViolation):
        raise ApplicationSchemaError(
            f"the application's table {table.name} has rows with a repeated or missing id. Make id its primary key"
        ) from None
    if erased is not None:
        redact_incoming(cursor, table, erased, are_ids=are_ids)
    return rows
