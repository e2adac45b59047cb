"""Erasure of persons from the dashboard server: logins of erased creators and brands, texts, cached answers.

The server may be running meanwhile, on this machine or another. Its own tables are in a database, its caches in files.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql

from orchestration.cli.dashboard_settings import METADATA_DATABASE, folder_of
from orchestration.instance.scrubbing import Mask, scrub_column
from warehouse.connection import Warehouse, WarehouseUnavailable

_LOGINS: Final = "warehouse_logins"
_TEXTS: Final = """
select columns.table_name, columns.column_name
from information_schema.columns as columns
inner join information_schema.columns as keys
    on keys.table_schema = 'public' and keys.table_name = columns.table_name and keys.column_name = 'id'
        and keys.data_type in ('integer', 'bigint')
inner join information_schema.tables as tables
    on tables.table_schema = 'public' and tables.table_name = columns.table_name and tables.table_type = 'BASE TABLE'
where columns.table_schema = 'public' and columns.data_type in ('text', 'character varying')
    and columns.table_name not like 'ab\\_%'
order by 1, 2
"""
# Columns that refer to users.
_REFERENCES: Final = """
select constraints.conrelid::regclass::text, attributes.attname, attributes.attnotnull
from pg_constraint as constraints
inner join pg_attribute as attributes
    on attributes.attrelid = constraints.conrelid and attributes.attnum = constraints.conkey[1]
where constraints.contype = 'f' and constraints.confrelid = 'ab_user'::regclass
"""


def metadata_connection(warehouse: Warehouse, environment: Mapping[str, str]) -> psycopg.Connection | None:
    """Return a connection to the server's own tables; None where no dashboard server was ever set up."""
    if url := environment.get("WAREHOUSE_BI_METADATA_URL", "").strip():
        return psycopg.connect(url.replace("postgresql+psycopg2://", "postgresql://", 1), autocommit=True)
    if not warehouse.is_embedded:
        return None
    with warehouse.connect(autocommit=True) as connection:
        exists = connection.execute("select 1 from pg_database where datname = %s", [METADATA_DATABASE]).fetchone()
    if not exists:
        return None
    return warehouse.connect_to(warehouse.superuser_url(METADATA_DATABASE), autocommit=True)


def erase_from_dashboards(
    warehouse: Warehouse, mask: Mask, owners: Iterable[str], *, log: Callable[[str], None]
) -> int:
    """Remove the logins of these creators and brands, mask ids in texts, empty the caches. Return the changed rows.

    Raises WarehouseUnavailable where the server's own tables cannot be reached: the erasure is to be run again then.
    """
    clear_caches(folder_of())
    try:
        connection = metadata_connection(warehouse, os.environ)
    except psycopg.OperationalError as error:
        raise WarehouseUnavailable(
            f"the dashboards' own tables cannot be reached: {' '.join(str(error).split())}; correct"
            " WAREHOUSE_BI_METADATA_URL and run the job again with the same request"
        ) from None
    if connection is None:
        return 0
    with connection:
        if connection.execute("select to_regclass('public.ab_user')").fetchone() == (None,):
            return 0
        changed = _remove_logins(connection, list(owners), log=log)
        changed += sum(
            scrub_column(connection, "public", table, column, mask)
            for table, column in connection.execute(_TEXTS).fetchall()
        )
        changed += _remove_stored_states(connection, mask)
    if changed:
        log(f"dashboards: {changed:,} rows of persons removed or masked")
    return changed


def clear_caches(folder: Path) -> None:
    """Delete cached answers and choices of filters. A running server goes on and asks again."""
    for file in (folder / "cache").rglob("*"):
        if file.is_file():
            file.unlink(missing_ok=True)


def _remove_logins(connection: psycopg.Connection, owners: list[str], *, log: Callable[[str], None]) -> int:
    if connection.execute("select to_regclass(%s)", [f"public.{_LOGINS}"]).fetchone() == (None,):
        return 0
    rows = connection.execute(f"select username from {_LOGINS} where owner_id = any(%s)", [owners]).fetchall()
    names = [name for (name,) in rows]
    users = sql.SQL("(select id from ab_user where username = any(%s))")
    with connection.transaction(), connection.cursor() as cursor:
        for table, column, is_required in connection.execute(_REFERENCES).fetchall():
            # Roles and the like of a user go; what a user has changed stays without a name.
            is_part = is_required or table.startswith("ab_")
            statement = "delete from {} where {} in {}" if is_part else "update {} set {} = null where {} in {}"
            parts = [sql.Identifier(column)] * (1 if is_part else 2)
            cursor.execute(sql.SQL(statement).format(sql.Identifier(table), *parts, users), [names])
        cursor.execute("delete from ab_user where username = any(%s)", [names])
        cursor.execute(f"delete from {_LOGINS} where owner_id = any(%s)", [owners])
    if names:
        log(f"dashboards: {len(names)} logins of erased creators and brands removed")
    return len(names)


def _remove_stored_states(connection: psycopg.Connection, mask: Mask) -> int:
    """Remove links to states of dashboards that name the subject; they are stored as bytes."""
    rows = connection.execute("select id, value from key_value").fetchall()
    named = [row_id for row_id, value in rows if mask(text := bytes(value).decode(errors="replace")) != text]
    if named:
        connection.execute("delete from key_value where id = any(%s)", [named])
    return len(named)
