"""The product's own tables as versions in schema raw: compare with what raw knows, append what differs.

What is read is declared in application_schema.py, how it is read in application_source.py. A read is one snapshot of
the application and one transaction of the warehouse, and rows are never held in memory.
"""

from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from typing import Final

import psycopg
from psycopg import sql
from psycopg.pq import TransactionStatus

from ingestion.application_schema import TABLES, Table
from ingestion.application_source import (
    ApplicationSchemaError,
    ApplicationUnavailable,
    begin_snapshot,
    connect_application,
    is_readable,
    stream_rows,
)

__all__ = [
    "MIN_HASH_KEY_LENGTH",
    "ApplicationReport",
    "ApplicationSchemaError",
    "ApplicationUnavailable",
    "TableCounts",
    "connect_application",
    "read_application",
]

# Below this length a hash of an e-mail address can be undone by trying keys.
MIN_HASH_KEY_LENGTH: Final = 16

# Any constant will do; it only has to differ from the other advisory locks of the warehouse.
_READ_LOCK: Final = 7_203


@dataclass(frozen=True, slots=True)
class TableCounts:
    """What a read did to one table. `versions_appended` includes the `removed`."""

    rows_read: int
    versions_appended: int
    removed: int


@dataclass(frozen=True, slots=True)
class ApplicationReport:
    """What a read did. `change_id` is None when nothing had changed since the read before."""

    observed_date: date
    change_id: int | None
    counts: Mapping[str, TableCounts]
    changed_licenses: int

    @property
    def rows_read(self) -> int:
        return sum(counts.rows_read for counts in self.counts.values())

    @property
    def versions_appended(self) -> int:
        return sum(counts.versions_appended for counts in self.counts.values())


def read_application(
    source: psycopg.Connection, warehouse: psycopg.Connection, *, observed_date: date, hash_key: str
) -> ApplicationReport:
    """Append a version to raw for every row of the application that is new, changed, gone or back again.

    One consistent read-only snapshot of `source`, which must not be inside a transaction; one transaction (or
    savepoint) of `warehouse` for all tables and for ops.changed_licenses, which names the licenses that are new,
    gone, back, or point to another asset or project. Reading twice without a change in between appends nothing.
    A version is never observed before the version it follows: an earlier `observed_date` is raised to that day.

    Raises ApplicationSchemaError (missing table or column, unreadable type, repeated or missing id),
    ApplicationUnavailable (connection lost, no right to read) and ValueError (short key, source not idle); raw is
    then as before.
    """
    if len(hash_key) < MIN_HASH_KEY_LENGTH:
        raise ValueError(
            f"WAREHOUSE_HASH_KEY must have at least {MIN_HASH_KEY_LENGTH} characters: it keeps the hashes of e-mail"
            " addresses from being guessed. Generate one and never change it"
        )
    if source.info.transaction_status != TransactionStatus.IDLE:
        raise ValueError("the connection to the application is inside a transaction: its snapshot may be an old one")
    with source.transaction(), warehouse.transaction(), warehouse.cursor() as cursor:
        begin_snapshot(source)
        # A time must have one text form, or its hash would depend on how the session is set.
        cursor.execute("set local timezone = 'UTC'")
        # A read that was reported must not be lost in a crash.
        cursor.execute("set local synchronous_commit = on")
        # Of two reads at once, the second has to see the versions of the first.
        cursor.execute("select pg_advisory_xact_lock(%s)", [_READ_LOCK])
        present = [table for table in TABLES if is_readable(source, table)]
        counts = {}
        for table in TABLES:
            cursor.execute(_CREATE_INCOMING.format(**_parts(table)))
            rows_read = _copy(source, cursor, table, hash_key.encode()) if table in present else 0
            counts[table.name] = _compare(cursor, table, rows_read, observed_date)
        change_id = None
        changed_licenses = 0
        if any(table_counts.versions_appended for table_counts in counts.values()):
            change_id = _next_change_id(cursor)
            # Before the append: it compares with the versions that held until now.
            changed_licenses = cursor.execute(_RECORD_CHANGED_LICENSES, [change_id]).rowcount
            for table in TABLES:
                cursor.execute(_APPEND.format(**_parts(table)), [change_id])
        for table in TABLES:
            cursor.execute(_DROP.format(**_parts(table)))
    return ApplicationReport(observed_date, change_id, counts, changed_licenses)


def _copy(source: psycopg.Connection, cursor: psycopg.Cursor, table: Table, key: bytes) -> int:
    """Stream a table of the application into its temporary table; the number of rows."""
    target = sql.SQL("copy {} ({}) from stdin (format text, encoding 'UTF8')").format(
        _parts(table)["incoming"], _list(column.raw_name for column in table.streamed_columns)
    )
    try:
        # Closed before the transaction ends, also on the way out of an error: the source is in the middle of a COPY.
        with closing(stream_rows(source, table, key)) as rows, cursor.copy(target) as copy:
            for row in rows:
                copy.write(row)
    except (psycopg.errors.UniqueViolation, psycopg.errors.NotNullViolation):
        raise ApplicationSchemaError(
            f"the application's table {table.name} has rows with a repeated or missing id. Make id its primary key"
        ) from None
    count = cursor.rowcount
    cursor.execute(sql.SQL("analyze {}").format(_parts(table)["incoming"]))
    return count


def _compare(cursor: psycopg.Cursor, table: Table, rows_read: int, observed_date: date) -> TableCounts:
    """Collect the versions that are to be appended in a temporary table."""
    cursor.execute(_CREATE_DELTA.format(**_parts(table)), {"observed_date": observed_date})
    cursor.execute(
        sql.SQL("select count(*), count(*) filter (where is_removed) from {}").format(_parts(table)["delta"])
    )
    appended, removed = cursor.fetchone() or (0, 0)
    return TableCounts(rows_read, appended, removed)


def _next_change_id(cursor: psycopg.Cursor) -> int:
    row = cursor.execute("select nextval('ops.change_id_seq')").fetchone()
    assert row is not None  # noqa: S101 - a select of one expression has one row
    return int(row[0])


def _list(names: Iterable[str], alias: str | None = None) -> sql.Composed:
    qualifier = (alias,) if alias else ()
    return sql.SQL(", ").join(sql.Identifier(*qualifier, name) for name in names)


def _parts(table: Table) -> dict[str, sql.Composable]:
    return {
        "raw": sql.Identifier("raw", table.name),
        "incoming": sql.Identifier("pg_temp", f"incoming_{table.name}"),
        "delta": sql.Identifier("pg_temp", f"delta_{table.name}"),
        "columns": _list(table.raw_names),
        "incoming_columns": _list(table.raw_names, "incoming"),
        "latest_columns": _list(table.raw_names, "latest"),
    }


_CREATE_INCOMING: Final = sql.SQL(
    """
    create temporary table {incoming} as select {columns} from {raw} with no data;
    alter table {incoming} add primary key (id)
    """
)

_CREATE_DELTA: Final = sql.SQL(
    """
    create temporary table {delta} as
    with latest as (
        select distinct on (id) * from {raw} order by id, change_id desc
    ),
    incoming as (
        select *, sha256(convert_to(jsonb_build_array({columns})::text, 'UTF8')) as version_hash from {incoming}
    )
    select
        {incoming_columns},
        incoming.version_hash,
        greatest(%(observed_date)s::date, latest.observed_date) as observed_date,
        false as is_removed
    from incoming
    left join latest on incoming.id = latest.id
    where latest.id is null or latest.is_removed or latest.version_hash <> incoming.version_hash
    union all
    select
        {latest_columns},
        latest.version_hash,
        greatest(%(observed_date)s::date, latest.observed_date) as observed_date,
        true as is_removed
    from latest
    where not latest.is_removed and not exists (select from incoming where incoming.id = latest.id)
    """
)

_APPEND: Final = sql.SQL(
    """
    insert into {raw} ({columns}, version_hash, observed_date, is_removed, change_id)
    select {columns}, version_hash, observed_date, is_removed, %s from {delta}
    """
)

_RECORD_CHANGED_LICENSES: Final = """
    insert into ops.changed_licenses (change_id, license_id)
    select %s, delta.id
    from pg_temp.delta_licenses as delta
    left join lateral (
        select * from raw.licenses as version where version.id = delta.id order by version.change_id desc limit 1
    ) as latest on true
    where
        latest.id is null
        or latest.is_removed <> delta.is_removed
        or (latest.ip_asset_id, latest.project_id) is distinct from (delta.ip_asset_id, delta.project_id)
    """

_DROP: Final = sql.SQL("drop table {incoming}, {delta}")
