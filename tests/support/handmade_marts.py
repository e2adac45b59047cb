"""Marts without models: tables and views of schema build written by hand and published as a run would publish them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date

import psycopg
from psycopg import sql

from publishing import builds
from publishing.marts import Column, Mart
from publishing.publish import Publication, publish
from warehouse.connection import Warehouse
from warehouse.window import Window
from warehouse.writer_lock import writing

DAY = date(2026, 10, 1)
WINDOW = Window.day(DAY)


def column(name: str, data_type: str = "text", description: str = "") -> Column:
    return Column(name, data_type, is_nullable=True, description=description or f"The {name}.")


def mart(name: str, *columns: Column, portals: Mapping[str, str] | None = None) -> Mart:
    """A mart with these columns beside metric_date, all of which identify a row."""
    every = (column("metric_date", "date"), *columns)
    return Mart(name, f"About {name}.", every, "metric_date", tuple(c.name for c in every), portals or {})


def view(name: str, *columns: Column, portals: Mapping[str, str] | None = None) -> Mart:
    """A mart that is a view with these columns beside metric_date."""
    return replace(mart(name, *columns, portals=portals), is_view=True)


def build(
    connection: psycopg.Connection, marts: Mapping[Mart, Iterable[Sequence[object]] | str], days: Sequence[date]
) -> None:
    """Write schema build: of a table the same rows, in the order of the columns after metric_date, on every day; of a
    view its query, after the tables that it reads."""
    for made, rows in marts.items():
        table = sql.Identifier("build", made.name)
        if isinstance(rows, str):
            connection.execute(sql.SQL("drop view if exists {}").format(table))
            connection.execute(sql.SQL("create view {} as {}").format(table, sql.SQL(rows)))  # type: ignore[arg-type]
            continue
        connection.execute(sql.SQL("drop table if exists {} cascade").format(table))
        columns = sql.SQL(", ").join(
            sql.SQL("{} {}").format(sql.Identifier(c.name), sql.SQL(c.data_type)) for c in made.columns
        )
        connection.execute(sql.SQL("create table {} ({})").format(table, columns))
        places = sql.SQL(", ").join(sql.Placeholder() * len(made.columns))
        with connection.cursor() as cursor:
            cursor.executemany(
                sql.SQL("insert into {} values ({})").format(table, places),
                [(day, *row) for row in rows for day in days],
            )
    connection.execute(
        "insert into ops.built_days (event_date, build_id, change_id, model_version, is_complete)"
        " select day, 'by-hand', ops.last_change_id(), 'by-hand', true from unnest(%s::date[]) as day"
        " on conflict (event_date) do update set change_id = excluded.change_id, is_complete = true",
        [list(days)],
    )


def publish_by_hand(
    warehouse: Warehouse, marts: Sequence[Mart], *, run_id: str = "a-run", window: Window = WINDOW
) -> Publication:
    """Publish what is built, with no gate."""
    with (
        warehouse.connect(autocommit=True) as lock,
        writing(lock, run_id, log=print),
        warehouse.connect(autocommit=True) as connection,
    ):
        with connection.cursor() as cursor:
            builds.record_last_build(cursor, window, build_id="by-hand", model_version="by-hand")
        return publish(connection, marts=marts, window=window, run_id=run_id, raw_checks=[], build_checks=[])
