"""Read access to the application's database: connection, check of declared tables, streams of rows.

This module never writes, and no e-mail address leaves it: rows have the keyed hash instead.
"""

import re
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from ingestion.application.schema import READABLE_TYPES, Table
from ingestion.hashing import hash_email
from warehouse.single_values import value_of

_CONNECT_TIMEOUT_SECONDS: Final = 10
# Column of an application's table with the time of a row's last change.
CHANGE_TIME: Final = "updated_at"


class ApplicationUnavailable(Exception):
    """An application's database that cannot be reached or read with the configured address."""


class ApplicationSchemaError(Exception):
    """A declared table or column that is missing in the application, or has another type."""


@contextmanager
def connect_application(url: str) -> Iterator[psycopg.Connection]:
    """Open a connection to the application's database, closed at the end of the block.

    Raises ApplicationUnavailable for an invalid address, an unreachable server or a failed login. The message names
    host, port, database and user, never the password.
    """
    try:
        parts = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        # The original message quotes the address with its password.
        raise ApplicationUnavailable(
            "APP_DATABASE_URL is no database address; it has the form postgresql://user:password@host:port/database"
        ) from None
    password = str(parts.get("password") or "")
    try:
        connection = psycopg.connect(url, connect_timeout=_CONNECT_TIMEOUT_SECONDS)
    except psycopg.OperationalError as error:
        reason = str(error).strip()
        if password:
            reason = reason.replace(password, "***")
        address = "{}:{}/{} as {}".format(
            *(parts.get(key) or "(default)" for key in ("host", "port", "dbname", "user"))
        )
        raise ApplicationUnavailable(
            f"the application's database {address} cannot be opened: {reason}. Check that it runs and exists, and that"
            " APP_DATABASE_URL holds its address, user and password"
        ) from None
    with connection:
        yield connection


def begin_snapshot(source: psycopg.Connection) -> None:
    """Make the present transaction a read-only snapshot, with fixed text forms of times."""
    with source_errors(source):
        source.execute("set transaction isolation level repeatable read, read only")
        source.execute("set local timezone = 'UTC'")
        source.execute("set local datestyle = 'ISO'")
        source.execute("set local client_encoding = 'UTF8'")


@dataclass(frozen=True, slots=True)
class FoundTable:
    """A declared table in the application. `identity` changes when the table is created again."""

    identity: str
    has_change_times: bool


def find_table(source: psycopg.Connection, table: Table) -> FoundTable | None:
    """Return a table of the application; None when an optional one is missing.

    Raises ApplicationSchemaError when a required table is missing, or a column does not fit its declaration.
    """
    types = column_types(source, table.name)
    if not types:
        if table.is_optional:
            return None
        raise ApplicationSchemaError(
            f"the application has no table {table.name}. Create it, or let APP_DATABASE_URL point to the database and"
            " search path that hold it"
        )
    for column in table.columns:
        if column.name not in types:
            raise ApplicationSchemaError(
                f"the application's table {table.name} has no column {column.name}. Add it, or a view of the same name"
                f" that provides it; found: {', '.join(sorted(types))}"
            )
        readable = READABLE_TYPES[column.kind]
        if readable is not None and types[column.name] not in readable:
            raise ApplicationSchemaError(
                f"the application's column {table.name}.{column.name} is of type {types[column.name]}, which cannot be"
                f" read as {column.kind} without loss. Make it one of {', '.join(sorted(readable))}"
            )
    with source_errors(source, table.name):
        oid = value_of(source, "select to_regclass(quote_ident(%s))::oid::text", [table.name])
    identity = (source.info.host, source.info.port, source.info.dbname, oid)
    # A date is no watermark: all rows of the last day would be read again each time.
    return FoundTable(repr(identity), types.get(CHANGE_TIME) in ("timestamptz", "timestamp"))


def column_types(source: psycopg.Connection, name: str) -> dict[str, str]:
    """Return the column types of a table or view of the application; empty when it does not exist."""
    with source_errors(source, name):
        rows = source.execute(
            """
            select attribute.attname::text, type.typname::text
            from pg_catalog.pg_attribute as attribute
            inner join pg_catalog.pg_type as type on attribute.atttypid = type.oid
            where attribute.attrelid = to_regclass(quote_ident(%s))
                and attribute.attnum > 0
                and not attribute.attisdropped
            """,
            [name],
        ).fetchall()
    return dict(rows)


def last_change(source: psycopg.Connection, table: Table) -> str | None:
    """Return the latest change time of a table, as text in UTC, and at most the present time."""
    # least() ignores nulls: for a table without any change time it would return the present time.
    time = f"{CHANGE_TIME}::timestamptz"
    query = f"select least(max({time}) filter (where isfinite({time})), now())::text from {table.name}"
    query += f" having max({time}) is not null"
    with source_errors(source, table.name):
        changed_at: str | None = value_of(source, query)
    return changed_at


def stream_rows(
    source: psycopg.Connection, table: Table, key: bytes, *, changed_since: str | None = None
) -> Generator[bytes, None, None]:
    """Yield the rows of a table in COPY's text format, one line each, columns in the order of `streamed_columns`.

    With `changed_since`, a time as text, only rows that changed at that time or later, or have no time of change.
    """
    columns = ", ".join(f"{column.name}::{column.raw_type}" for column in table.streamed_columns)
    condition = ""
    if changed_since is not None:
        since = sql.Literal(changed_since).as_string(source)
        condition = f" where {CHANGE_TIME} >= {since}::timestamptz or {CHANGE_TIME} is null"
    query = f"copy (select {columns} from {table.name}{condition}) to stdout (format text, encoding 'UTF8')"
    with source_errors(source, table.name), source.cursor() as cursor, cursor.copy(query) as copy:
        if table.streamed_columns[-1].kind == "email":
            for row in copy:
                yield _hash_last_field(bytes(row), key)
        else:
            for row in copy:
                yield bytes(row)


def stream_ids(source: psycopg.Connection, table: Table) -> Generator[bytes, None, None]:
    """Yield the ids of all rows of a table, in COPY's text format."""
    query = f"copy (select id::text from {table.name}) to stdout (format text, encoding 'UTF8')"
    with source_errors(source, table.name), source.cursor() as cursor, cursor.copy(query) as copy:
        for row in copy:
            yield bytes(row)


def _hash_last_field(row: bytes, key: bytes) -> bytes:
    if row.count(b"\n") != 1:
        # Servers send one row a message, though the protocol does not promise it. An address must not stay unhashed.
        raise RuntimeError("the application's server sent something else than one whole row per message")
    head, tab, field = row.rstrip(b"\n").rpartition(b"\t")
    if field == b"\\N":
        return row
    hashed = hash_email(_unescape(field).decode(errors="replace"), key)
    return head + tab + (hashed.encode() if hashed else b"\\N") + b"\n"


_ESCAPES: Final = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}


def _unescape(field: bytes) -> bytes:
    """Return the value of a field in COPY's text format."""
    if b"\\" not in field:
        return field
    return re.sub(rb"\\(.)", lambda match: _ESCAPES.get(match[1], match[1]), field, flags=re.DOTALL)


@contextmanager
def source_errors(source: psycopg.Connection, table: str | None = None) -> Iterator[None]:
    """Convert errors of the application's server to ApplicationUnavailable, with what to do."""
    try:
        yield
    except psycopg.errors.InsufficientPrivilege:
        name = table or "the database"
        raise ApplicationUnavailable(
            f"the user of APP_DATABASE_URL may not read {name} of the application. Grant it: grant select on {name}"
            f" to {source.info.user}"
        ) from None
    except psycopg.OperationalError as error:
        while_reading = f" while {table} was read" if table else ""
        raise ApplicationUnavailable(
            f"the application's database failed{while_reading}: {str(error).strip()}. Nothing was stored; read again"
        ) from None
