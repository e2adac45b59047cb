"""The tables of schema marts: made from the dbt contracts, migrated with them, and never dropped, so that grants,
policies and comments stay. Moving rows into them is in publication.py.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from ingestion.window import Window


class ColumnsChanged(Exception):
    """A mart's contract and its table differ in more than new columns."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a mart, as its dbt contract has it."""

    name: str
    data_type: str
    is_nullable: bool
    description: str


@dataclass(frozen=True, slots=True)
class Mart:
    """A table that BI reads: its columns, the column that carries its day, and the columns that identify a row."""

    name: str
    description: str
    columns: tuple[Column, ...]
    date_column: str
    grain: tuple[str, ...]


def marts_of(manifest: Mapping[str, Any]) -> tuple[Mart, ...]:
    """Every public dbt model of schema build, by name. Raises KeyError when one lacks its contract, window or grain."""
    models = (
        node
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["schema"] == "build" and node["access"] == "public"
    )
    return tuple(sorted((_mart(model) for model in models), key=lambda mart: mart.name))


def _mart(model: Mapping[str, Any]) -> Mart:
    return Mart(
        name=model["name"],
        description=model["description"],
        columns=tuple(
            Column(
                column["name"],
                column["data_type"],
                all(constraint["type"] != "not_null" for constraint in column["constraints"]),
                column["description"],
            )
            for column in model["columns"].values()
        ),
        date_column=model["config"]["event_time"],
        grain=tuple(model["config"]["meta"]["grain"]),
    )


def prepare(cursor: psycopg.Cursor, marts: Sequence[Mart], window: Window) -> None:
    """Give every mart a table with the columns of its contract, in the transaction of the publication.

    Columns that are new are added. Columns that are gone or of another type are changed too when the window holds every
    published day, as in the job "rebuild": no row stays that they could be wrong for. Otherwise raises
    ColumnsChanged.
    """
    cursor.execute(
        "select count(*) from ops.published_days where not (event_date >= %s and event_date < %s)",
        [window.start, window.end],
    )
    (days_outside,) = cursor.fetchone() or (0,)
    for mart in marts:
        existing = _existing_columns(cursor, mart)
        if not existing:
            _create_table(cursor, mart)
            continue
        wanted = {column.name: column.data_type.replace(", ", ",") for column in mart.columns}
        obsolete = sorted(name for name, data_type in existing.items() if wanted.get(name) != data_type)
        if obsolete and days_outside:
            raise ColumnsChanged(
                f"marts.{mart.name} has columns that its contract does not have, or has with another type: {obsolete}."
                ' Only new columns migrate by themselves; run the job "rebuild" over all published days.'
            )
        if obsolete:
            _drop_columns(cursor, mart, obsolete)
        _add_columns(cursor, mart, existing.keys() - obsolete)


def _existing_columns(cursor: psycopg.Cursor, mart: Mart) -> dict[str, str]:
    cursor.execute(
        "select attname, format_type(atttypid, atttypmod) from pg_attribute"
        " where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped",
        [f"marts.{mart.name}"],
    )
    return dict(cursor.fetchall())


def _create_table(cursor: psycopg.Cursor, mart: Mart) -> None:
    table = sql.Identifier("marts", mart.name)
    columns = sql.SQL(", ").join(_column_definition(column) for column in mart.columns)
    cursor.execute(sql.SQL("create table {} ({})").format(table, columns))
    _create_grain_index(cursor, mart)
    cursor.execute(sql.SQL("comment on table {} is {}").format(table, sql.Literal(mart.description)))
    for column in mart.columns:
        _comment_column(cursor, mart, column)


def _column_definition(column: Column) -> sql.Composable:
    definition = sql.SQL("{} {}").format(sql.Identifier(column.name), sql.SQL(column.data_type))
    return definition if column.is_nullable else definition + sql.SQL(" not null")


def _comment_column(cursor: psycopg.Cursor, mart: Mart, column: Column) -> None:
    cursor.execute(
        sql.SQL("comment on column {} is {}").format(
            sql.Identifier("marts", mart.name, column.name), sql.Literal(column.description)
        )
    )


def _drop_columns(cursor: psycopg.Cursor, mart: Mart, names: Sequence[str]) -> None:
    table = sql.Identifier("marts", mart.name)
    # The grain's index may go with a column; it comes back when the columns are complete.
    cursor.execute(sql.SQL("drop index if exists {}").format(sql.Identifier("marts", _grain_index(mart))))
    cursor.execute(sql.SQL("delete from {}").format(table))
    for name in names:
        cursor.execute(sql.SQL("alter table {} drop column {}").format(table, sql.Identifier(name)))


def _add_columns(cursor: psycopg.Cursor, mart: Mart, existing: Set[str]) -> None:
    for column in mart.columns:
        if column.name not in existing:
            # Rows published before have no value for it until their days, stale from now on, are built again.
            cursor.execute(
                sql.SQL("alter table {} add column {} {}").format(
                    sql.Identifier("marts", mart.name),
                    sql.Identifier(column.name),
                    sql.SQL(column.data_type),
                )
            )
            _comment_column(cursor, mart, column)
    _create_grain_index(cursor, mart)


def _grain_index(mart: Mart) -> str:
    return f"{mart.name}_grain"


def _create_grain_index(cursor: psycopg.Cursor, mart: Mart) -> None:
    # Nulls are one group; a plain unique index would let the same group in again.
    cursor.execute(
        sql.SQL("create unique index if not exists {} on {} ({}) nulls not distinct").format(
            sql.Identifier(_grain_index(mart)),
            sql.Identifier("marts", mart.name),
            sql.SQL(", ").join(sql.Identifier(column) for column in mart.grain),
        )
    )
