"""The tables of schemas marts and published: made from the dbt contracts, migrated with them, and never dropped, so
that grants, policies and comments stay. Moving rows into them is in publication.py, who may see them in roles/, the
views over them in mart_views.py.
"""

from collections.abc import Sequence, Set

import psycopg
from psycopg import sql

from publishing import mart_views
from publishing.mart_locks import comment, is_view, lock
from publishing.marts import Column, Mart
from publishing.scopes import Scope
from warehouse.reader_roles import EVERY_ROW, MARTS
from warehouse.roles import row_policies
from warehouse.window import Window


class ColumnsChanged(Exception):
    """A mart's contract and its table differ in more than new columns."""


def create_missing_tables(connection: psycopg.Connection, marts: Sequence[Mart]) -> None:
    """Before a build: every mart that is a table has one with at least the columns of its contract, which coarser ones
    read."""
    with connection.transaction(), connection.cursor() as cursor:
        for mart in marts:
            if mart.is_view or is_view(cursor, mart):
                continue
            existing = _existing_columns(cursor, mart)
            if not existing:
                _create_table(cursor, mart)
            elif not existing.keys() >= {column.name for column in mart.columns}:
                lock(cursor, [mart])
                _add_columns(cursor, mart, existing.keys())


def migrate_tables(cursor: psycopg.Cursor, marts: Sequence[Mart], window: Window) -> None:
    """Give every mart that is a table the columns of its contract, its policies, grants and comments, in the
    transaction of the publication. Views that read a column which goes are dropped with it; mart_views.py makes them
    again.

    Columns that are new are added. Columns that are gone or of another type are changed too when the window holds every
    published day, as in the job "rebuild": no row stays that they could be wrong for. Otherwise raises
    ColumnsChanged. What is right already is not touched, so that nobody waits for it.
    """
    cursor.execute(
        "select count(*) from ops.published_days where not (event_date >= %s and event_date < %s)",
        [window.start, window.end],
    )
    (days_outside,) = cursor.fetchone() or (0,)
    tables = [mart for mart in marts if not mart.is_view]
    no_tables = [mart for mart in tables if is_view(cursor, mart)]
    changed = {}
    missing = []
    for mart in tables:
        existing = {} if mart in no_tables else _existing_columns(cursor, mart)
        wanted = {column.name: column.data_type.replace(", ", ",") for column in mart.columns}
        obsolete = sorted(name for name, data_type in existing.items() if wanted.get(name) != data_type)
        if obsolete and days_outside:
            raise ColumnsChanged(
                f"{mart.schema}.{mart.name} has columns that its contract does not have, or has with another type:"
                f' {obsolete}. Only new columns migrate by themselves; run the job "rebuild" over all published days.'
            )
        if not existing:
            missing.append(mart)
        elif (
            existing != wanted
            or _wrongly_obligatory(cursor, mart)
            or _has_another_grain(cursor, mart)
            or (mart.schema == MARTS and not row_policies.has_policies(cursor, mart.name, mart.portals))
        ):
            changed[mart] = (existing.keys(), obsolete)
    views = mart_views.dependents_of(cursor, marts, changed)
    lock(cursor, [*changed, *views, *no_tables])
    if any(obsolete for _, obsolete in changed.values()):
        mart_views.drop(cursor, views)
    mart_views.drop(cursor, no_tables)
    for mart in missing:
        _create_table(cursor, mart)
    for mart, (existing_names, obsolete) in changed.items():
        # A column that a policy names cannot be dropped; nobody reads before the policies are back.
        if mart.schema == MARTS:
            row_policies.drop_policies(cursor, mart.name, mart.portals)
        if obsolete:
            _drop_columns(cursor, mart, obsolete)
        _add_columns(cursor, mart, existing_names - set(obsolete))
        for name in _wrongly_obligatory(cursor, mart):
            cursor.execute(
                sql.SQL("alter table {} alter column {} drop not null").format(mart.relation, sql.Identifier(name))
            )
        _replace_policies(cursor, mart)
    for mart in tables:
        # Those that are new in the contract; what is there already costs next to nothing, and no reader waits for it.
        _create_indexes(cursor, mart)
        comment(cursor, mart)


def _existing_columns(cursor: psycopg.Cursor, mart: Mart) -> dict[str, str]:
    cursor.execute(
        "select attname, format_type(atttypid, atttypmod) from pg_attribute"
        " where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped",
        [f"{mart.schema}.{mart.name}"],
    )
    return dict(cursor.fetchall())


def _wrongly_obligatory(cursor: psycopg.Cursor, mart: Mart) -> list[str]:
    """The columns that take no null in the table, although the contract allows it by now."""
    cursor.execute(
        "select attname from pg_attribute"
        " where attrelid = to_regclass(%s) and attnotnull and attname = any(%s) order by attnum",
        [f"{mart.schema}.{mart.name}", [column.name for column in mart.columns if column.is_nullable]],
    )
    return [name for (name,) in cursor.fetchall()]


def _create_table(cursor: psycopg.Cursor, mart: Mart) -> None:
    columns = sql.SQL(", ").join(_column_definition(column) for column in mart.columns)
    cursor.execute(sql.SQL("create table {} ({})").format(mart.relation, columns))
    _create_indexes(cursor, mart)
    _replace_policies(cursor, mart)


def _replace_policies(cursor: psycopg.Cursor, mart: Mart) -> None:
    # Nobody but the owner enters the other schema.
    if mart.schema == MARTS:
        row_policies.replace_policies(cursor, mart.name, mart.portals)


def _column_definition(column: Column) -> sql.Composable:
    definition = sql.SQL("{} {}").format(sql.Identifier(column.name), sql.SQL(column.data_type))
    return definition if column.is_nullable else definition + sql.SQL(" not null")


def _drop_columns(cursor: psycopg.Cursor, mart: Mart, names: Sequence[str]) -> None:
    # The grain's index may go with a column; it comes back when the columns are complete.
    cursor.execute(sql.SQL("drop index if exists {}").format(sql.Identifier(mart.schema, _grain_index(mart))))
    cursor.execute(sql.SQL("delete from {}").format(mart.relation))
    for name in names:
        cursor.execute(sql.SQL("alter table {} drop column {}").format(mart.relation, sql.Identifier(name)))


def _add_columns(cursor: psycopg.Cursor, mart: Mart, existing: Set[str]) -> None:
    for column in mart.columns:
        if column.name not in existing:
            # Rows published before have no value for it until their days, stale from now on, are built again.
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
    """Tell whether the unique index of the grain is one of other columns, as after a column was added to the grain."""
    cursor.execute(
        "select array_agg(attname::text order by attnum) from pg_attribute where attrelid = to_regclass(%s)",
        [f"{mart.schema}.{_grain_index(mart)}"],
    )
    (columns,) = cursor.fetchone() or (None,)
    return columns is not None and tuple(columns) != mart.grain


def _create_indexes(cursor: psycopg.Cursor, mart: Mart) -> None:
    if _has_another_grain(cursor, mart):
        cursor.execute(sql.SQL("drop index {}").format(sql.Identifier(mart.schema, _grain_index(mart))))
    # Nulls are one group; a plain unique index would let the same group in again.
    unique = sql.SQL("create unique index if not exists {} on {} ({}) nulls not distinct")
    _create_index(cursor, mart, unique, _grain_index(mart), mart.grain)
    # Publication deletes by day, portals see the rows of one, coarser marts look rows up: none must read all for it.
    singly = [mart.date_column] if mart.scope is not Scope.SNAPSHOT else []
    singly += [column for column in mart.portals.values() if column != EVERY_ROW]
    for columns in (*([column] for column in singly), *mart.lookups):
        if mart.grain[: len(columns)] != tuple(columns):
            plain = sql.SQL("create index if not exists {} on {} ({})")
            _create_index(cursor, mart, plain, f"{mart.name}_{'_'.join(columns)}", columns)


def _create_index(cursor: psycopg.Cursor, mart: Mart, statement: sql.SQL, name: str, columns: Sequence[str]) -> None:
    listed = sql.SQL(", ").join(sql.Identifier(column) for column in columns)
    cursor.execute(statement.format(sql.Identifier(name), mart.relation, listed))
