"""Tables of schemas marts and rollups: created from the dbt contracts and migrated with them.

They are never dropped, so that grants, policies and comments stay. Rows move in publishing/publish.py, readers are in
warehouse/roles, the views over the tables in publishing/mart_views.py.
"""

from collections.abc import Mapping, Sequence, Set

import psycopg
from psycopg import sql

from publishing import mart_views
from publishing.mart_locks import is_view, lock
from publishing.marts import Column, Mart
from publishing.scopes import Scope
from warehouse.missing_ddl import set_comments
from warehouse.roles import row_policies
from warehouse.roles.readers import EVERY_ROW, MARTS
from warehouse.single_values import value_of
from warehouse.window import Window


class ColumnsChanged(Exception):
    """A mart's contract and its table differ in more than new columns."""


def create_missing_tables(connection: psycopg.Connection, marts: Sequence[Mart]) -> None:
    """Create missing tables and columns before a build: rollups read the published tables of other marts."""
    with connection.transaction(), connection.cursor() as cursor:
        for mart in marts:
            if mart.is_view or is_view(cursor, mart):
                continue
            existing = _existing_columns(cursor, mart)
            if not existing:
                create_table(cursor, mart)
            elif not existing.keys() >= {column.name for column in mart.columns}:
                lock(cursor, [mart])
                _add_columns(cursor, mart, existing.keys())


def migrate_tables(cursor: psycopg.Cursor, marts: Sequence[Mart], window: Window) -> None:
    """Give every table the columns of its contract, its policies, grants and comments, in a publication's transaction.

    New columns are added. Columns are dropped or change their type only when the window holds every published day, as
    in the job "rebuild". Views that read such a column are dropped with it; publishing/mart_views.py creates them
    again. A table that is right is not touched, so that no reader waits. Raises ColumnsChanged when a column was
    dropped or changed its type, and days outside the window are published.
    """
    outside = "select count(*) from ops.published_days where not (event_date >= %s and event_date < %s)"
    days_outside = value_of(cursor, outside, [window.start, window.end])
    tables = [mart for mart in marts if not mart.is_view]
    views_to_replace = [mart for mart in tables if is_view(cursor, mart)]
    changed = {}
    missing = []
    for mart in tables:
        existing = {} if mart in views_to_replace else _existing_columns(cursor, mart)
        wanted = _wanted_columns(mart)
        obsolete = _obsolete(existing, wanted)
        if obsolete and days_outside:
            raise ColumnsChanged(
                f"{mart.schema}.{mart.name} has columns that its contract does not have, or has with another type:"
                f' {obsolete}. Only new columns migrate by themselves; run the job "rebuild" over all published days.'
            )
        if not existing:
            missing.append(mart)
        elif (
            existing != wanted
            or _wrong_not_null(cursor, mart)
            or _has_another_grain(cursor, mart)
            or (mart.schema == MARTS and not row_policies.has_policies(cursor, mart.name, mart.portals))
        ):
            changed[mart] = (existing.keys(), obsolete)
    views = mart_views.dependents_of(cursor, marts, changed)
    lock(cursor, [*changed, *views, *views_to_replace])
    if any(obsolete for _, obsolete in changed.values()):
        mart_views.drop(cursor, views)
    mart_views.drop(cursor, views_to_replace)
    for mart in missing:
        create_table(cursor, mart)
    for mart, (existing_names, obsolete) in changed.items():
        # A column that a policy names cannot be dropped. The lock keeps readers out until the policies are back.
        if mart.schema == MARTS:
            row_policies.drop_policies(cursor, mart.name, mart.portals)
        if obsolete:
            _drop_columns(cursor, mart, obsolete)
        _add_columns(cursor, mart, existing_names - set(obsolete))
        for name in _wrong_not_null(cursor, mart):
            cursor.execute(
                sql.SQL("alter table {} alter column {} drop not null").format(mart.relation, sql.Identifier(name))
            )
        _replace_policies(cursor, mart)
    for mart in tables:
        # Existing indexes and comments cost next to nothing, and no reader waits.
        _create_indexes(cursor, mart)
        set_comments(cursor, mart.comments)


def obsolete_columns(cursor: psycopg.Cursor, marts: Sequence[Mart]) -> dict[str, list[str]]:
    """Return by table the columns that its contract has no more, or has with another type; none for tables without."""
    found = {
        mart.name: _obsolete(_existing_columns(cursor, mart), _wanted_columns(mart))
        for mart in marts
        if not mart.is_view and not is_view(cursor, mart)
    }
    return {name: columns for name, columns in found.items() if columns}


def _obsolete(existing: Mapping[str, str], wanted: Mapping[str, str]) -> list[str]:
    return sorted(name for name, data_type in existing.items() if wanted.get(name) != data_type)


def changed_columns(cursor: psycopg.Cursor, marts: Sequence[Mart]) -> set[str]:
    """Return the names of tables among the marts whose columns are not those of the contract, or that do not exist."""
    return {
        mart.name
        for mart in marts
        if not mart.is_view and (is_view(cursor, mart) or _existing_columns(cursor, mart) != _wanted_columns(mart))
    }


def _wanted_columns(mart: Mart) -> dict[str, str]:
    return {column.name: column.data_type.replace(", ", ",") for column in mart.columns}


def _existing_columns(cursor: psycopg.Cursor, mart: Mart) -> dict[str, str]:
    cursor.execute(
        "select attname, format_type(atttypid, atttypmod) from pg_attribute"
        " where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped",
        [f"{mart.schema}.{mart.name}"],
    )
    return dict(cursor.fetchall())


def _wrong_not_null(cursor: psycopg.Cursor, mart: Mart) -> list[str]:
    """Return the columns that are not null in the table although the contract allows nulls."""
    cursor.execute(
        "select attname from pg_attribute"
        " where attrelid = to_regclass(%s) and attnotnull and attname = any(%s) order by attnum",
        [f"{mart.schema}.{mart.name}", [column.name for column in mart.columns if column.is_nullable]],
    )
    return [name for (name,) in cursor.fetchall()]


def create_table(cursor: psycopg.Cursor, mart: Mart) -> None:
    """Create the table of a mart with its indexes and, for readers, its policies."""
    columns = sql.SQL(", ").join(_column_definition(column) for column in mart.columns)
    cursor.execute(sql.SQL("create table {} ({})").format(mart.relation, columns))
    _create_indexes(cursor, mart)
    _replace_policies(cursor, mart)


def _replace_policies(cursor: psycopg.Cursor, mart: Mart) -> None:
    # Only the owner may enter the other schema.
    if mart.schema == MARTS:
        row_policies.replace_policies(cursor, mart.name, mart.portals)


def _column_definition(column: Column) -> sql.Composable:
    definition = sql.SQL("{} {}").format(sql.Identifier(column.name), sql.SQL(column.data_type))
    return definition if column.is_nullable else definition + sql.SQL(" not null")


def _drop_columns(cursor: psycopg.Cursor, mart: Mart, names: Sequence[str]) -> None:
    # The grain's index would be dropped with a column. It is created again when the columns are complete.
    cursor.execute(sql.SQL("drop index if exists {}").format(sql.Identifier(mart.schema, _grain_index(mart))))
    cursor.execute(sql.SQL("delete from {}").format(mart.relation))
    for name in names:
        cursor.execute(sql.SQL("alter table {} drop column {}").format(mart.relation, sql.Identifier(name)))


def _add_columns(cursor: psycopg.Cursor, mart: Mart, existing: Set[str]) -> None:
    for column in mart.columns:
        if column.name not in existing:
            # Published rows have no value until their days, which are stale now, are built again.
            cursor.execute(
                sql.SQL("alter table {} add column {} {}").format(
                    mart.relation,
                    sql.Identifier(column.name),
                    sql.SQL(column.data_type),
                )
            )
    _create_indexes(cursor, mart)


def _grain_index(mart: Mart) -> str:
    return f"{mart.name}_grain"


def _has_another_grain(cursor: psycopg.Cursor, mart: Mart) -> bool:
    """Return whether the unique index of the grain has other columns, as after a column was added to the grain."""
    query = "select array_agg(attname::text order by attnum) from pg_attribute where attrelid = to_regclass(%s)"
    columns = value_of(cursor, query, [f"{mart.schema}.{_grain_index(mart)}"])
    return columns is not None and tuple(columns) != mart.grain


def _create_indexes(cursor: psycopg.Cursor, mart: Mart) -> None:
    if _has_another_grain(cursor, mart):
        cursor.execute(sql.SQL("drop index {}").format(sql.Identifier(mart.schema, _grain_index(mart))))
    # Nulls are one group; without "nulls not distinct" a group could be stored twice.
    unique = sql.SQL("create unique index if not exists {} on {} ({}) nulls not distinct")
    _create_index(cursor, mart, unique, _grain_index(mart), mart.grain)
    # Publication deletes by day, portals read one owner's rows, rollups look up rows: none may scan the table.
    singly = [mart.date_column] if mart.scope is not Scope.SNAPSHOT else []
    singly += [column for column in mart.portals.values() if column != EVERY_ROW]
    for columns in (*([column] for column in singly), *mart.lookups):
        if mart.grain[: len(columns)] != tuple(columns):
            statement = sql.SQL("create index if not exists {} on {} ({})")
            _create_index(cursor, mart, statement, f"{mart.name}_{'_'.join(columns)}", columns)


def _create_index(cursor: psycopg.Cursor, mart: Mart, statement: sql.SQL, name: str, columns: Sequence[str]) -> None:
    listed = sql.SQL(", ").join(sql.Identifier(column) for column in columns)
    cursor.execute(statement.format(sql.Identifier(name), mart.relation, listed))
