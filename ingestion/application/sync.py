"""The product's own tables as versions in schema raw: compare with what raw knows, append what differs.

What is read is declared in schema.py, how it is read in source.py, how much of it in
read_state.py; the statements of the warehouse are in versions.py. A read is one snapshot of the
application and one transaction of the warehouse, and rows are never held in memory.
"""

from collections.abc import Collection, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date

import psycopg
from psycopg.pq import TransactionStatus

from ingestion.application import changed_terms as terms
from ingestion.application import versions
from ingestion.application import watermarks as reads
from ingestion.application.schema import TABLES, Table
from ingestion.application.source import (
    ApplicationSchemaError,
    ApplicationUnavailable,
    FoundTable,
    begin_snapshot,
    connect_application,
    find_table,
    last_change,
    stream_ids,
    stream_rows,
)
from ingestion.application.watermarks import ApplicationRowsMissing, ReadState
from ingestion.contract import MAX_CENTS
from ingestion.hashing import require_long_key
from warehouse.locks import AdvisoryLock

__all__ = [
    "ApplicationReport",
    "ApplicationRowsMissing",
    "ApplicationSchemaError",
    "ApplicationUnavailable",
    "TableCounts",
    "connect_application",
    "read_application",
]


@dataclass(frozen=True, slots=True)
class TableCounts:
    """What a read did to one table. `versions_appended` includes the `removed`.

    Of the `rows_present`, those were read that have changed lately, or all: `is_full`.
    """

    rows_present: int
    rows_read: int
    versions_appended: int
    removed: int
    is_full: bool


@dataclass(frozen=True, slots=True)
class ApplicationReport:
    """What a read did. `change_id` is None when nothing had changed since the read before."""

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
    is_full: bool = False,
    accept_removals: Collection[str] = (),
) -> ApplicationReport:
    """Append a version to raw for every row of the application that is new, changed, gone or back again.

    One consistent read-only snapshot of `source`, which must not be inside a transaction; one transaction (or
    savepoint) of `warehouse` for all tables, for the state of the reads, for ops.changed_licenses, which names the
    licenses that are new, gone, back, or point to another asset or project, and for ops.changed_terms, which has the
    days on which assets are owned or licensed otherwise than before. Reading twice without a change in between appends
    nothing. A version is never observed before the version it follows: an earlier `observed_date` is raised to that
    day. Tables with `updated_at` are read from where the last read ended; with `is_full` all of them whole.

    Raises ApplicationSchemaError (missing table or column, unreadable type, repeated or missing id, absurd amount),
    ApplicationUnavailable (connection lost, no right to read), ApplicationRowsMissing (a table that is not named in
    `accept_removals` has lost all of its rows, or most of them) and ValueError (short key, source not idle, unknown
    name); raw is then as before.
    """
    require_long_key(hash_key)
    if unknown := set(accept_removals) - {table.name for table in TABLES}:
        raise ValueError(f"accept_removals names no table of the application: {', '.join(sorted(unknown))}")
    if source.info.transaction_status != TransactionStatus.IDLE:
        raise ValueError("the connection to the application is inside a transaction: its snapshot may be an old one")
    with source.transaction(), warehouse.transaction(), warehouse.cursor() as cursor:
        begin_snapshot(source)
        # A time must have one text form, or its hash would depend on how the session is set.
        cursor.execute("set local timezone = 'UTC'")
        cursor.execute("set local datestyle = 'ISO'")
        # A read that was reported must not be lost in a crash.
        cursor.execute("set local synchronous_commit = on")
        cursor.execute("select ops.assert_writer()")
        # Of two reads at once, the second has to see the versions of the first.
        cursor.execute("select pg_advisory_xact_lock(%s)", [AdvisoryLock.APPLICATION_READ])
        found = {table: find_table(source, table) for table in TABLES}
        counts = {}
        implausible = []
        for table in TABLES:
            versions.create_incoming(cursor, table)
            rows, present = _copy(source, cursor, table, found[table], hash_key.encode(), observed_date, is_full)
            compared = versions.compare(cursor, table, present=present, rows=rows, observed_date=observed_date)
            _reject_amounts_over_limit(table, versions.amounts_over_limit(cursor, table))
            after = rows if present is None else present
            counts[table.name] = TableCounts(
                after, rows, compared.versions_appended, compared.removed, is_full=present is None
            )
            if table.name not in accept_removals and reads.is_implausible(
                before=compared.before, after=after, removed=compared.removed
            ):
                implausible.append((table.name, compared.before, compared.removed))
        reads.refuse(implausible, source)
        change_id = None
        changed_licenses = changed_terms = 0
        if any(table_counts.versions_appended for table_counts in counts.values()):
            change_id = _next_change_id(cursor)
            # Before the append: they compare with the versions that held until now.
            changed_licenses = versions.record_changed_licenses(cursor, change_id)
            changed_terms = terms.record_changed_terms(cursor, change_id)
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
) -> tuple[int, int | None]:
    """Bring in the rows of a table that have to be looked at, and note how far it has been read.

    Returns the number of rows brought in, and of the ids; None for the latter when all rows were.
    """
    if found is None:
        return 0, None
    source_fingerprint = reads.fingerprint(table, found, key)
    last = last_change(source, table) if found.has_change_times else None
    state = reads.state_of(cursor, table)
    since = None
    if not is_full:
        since = reads.changed_since(cursor, state, source_fingerprint=source_fingerprint, last_change=last, today=today)
    present = None
    if since is not None:
        rows = _stream(cursor, table, stream_rows(source, table, key, changed_since=since))
        present = _stream(cursor, table, stream_ids(source, table), are_ids=True)
        if versions.has_unknown_ids(cursor, table):
            versions.clear_incoming(cursor, table)
            present = None
    if present is None:
        rows = _stream(cursor, table, stream_rows(source, table, key))
    full_read_date = today if present is None or state is None else state.full_read_date
    reads.record(
        cursor, table, ReadState(source_fingerprint, last, full_read_date), rows if present is None else present
    )
    return rows, present


def _stream(cursor: psycopg.Cursor, table: Table, lines: Generator[bytes, None, None], *, are_ids: bool = False) -> int:
    try:
        # Closed before the transaction ends, also on the way out of an error: the source is in the middle of a COPY.
        with closing(lines):
            return versions.copy_into(cursor, table, lines, are_ids=are_ids)
    except (psycopg.errors.UniqueViolation, psycopg.errors.NotNullViolation):
        raise ApplicationSchemaError(
            f"the application's table {table.name} has rows with a repeated or missing id. Make id its primary key"
        ) from None


def _next_change_id(cursor: psycopg.Cursor) -> int:
    row = cursor.execute("select nextval('ops.change_id_seq')").fetchone()
    assert row is not None  # noqa: S101 - a select of one expression has one row
    return int(row[0])
