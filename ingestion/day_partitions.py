"""The partitions of raw.events and raw.attribution, one of each for every event day.

Everything happens in the caller's transaction.
"""

from collections.abc import Iterable
from datetime import date
from typing import Final

import psycopg
from psycopg import sql

from warehouse.window import ONE_DAY

_TABLES: Final = ("events", "attribution")
# Of a stored event, about.
_ROW_BYTES: Final = 500


def names(event_date: date) -> tuple[str, str]:
    """The partitions of an event day, of raw.events and of raw.attribution."""
    events, attribution = (f"raw.{table}_{event_date:%Y%m%d}" for table in _TABLES)
    return events, attribution


def stored_rows(cursor: psycopg.Cursor, event_date: date) -> int | None:
    """About how many events of a day are stored; None when the day has no partition yet."""
    cursor.execute("select pg_relation_size(to_regclass(%s))", [names(event_date)[0]])
    (size,) = cursor.fetchone() or (None,)
    return None if size is None else int(size) // _ROW_BYTES


def create_detached_partition(cursor: psycopg.Cursor, event_date: date) -> None:
    """Create the tables that `attach` makes the partitions of a new event day: to fill an index row by row takes three
    times as long as to build it, and nobody has to wait for this load to read the other days."""
    for table, partition in zip(_TABLES, names(event_date), strict=True):
        cursor.execute(f"create table {partition} (like raw.{table} including defaults)")


def attach(cursor: psycopg.Cursor, event_date: date) -> None:
    """Make the tables of `create_detached_partition` partitions. Raises UniqueViolation when they hold a key twice."""
    # Some hundred rows are enough to tell that they are all of one day and have keys of their own.
    cursor.execute("set local default_statistics_target = 1")
    for table, partition in zip(_TABLES, names(event_date), strict=True):
        cursor.execute(f"alter table {partition} add {_uniqueness(cursor, table)}")
        cursor.execute(
            sql.SQL("alter table {} attach partition {} for values from ({}) to ({})").format(
                sql.Identifier("raw", table), sql.Identifier(*partition.split(".")), *_bounds(event_date)
            )
        )
        cursor.execute(f"analyze {partition} (event_date, event_key)")
    cursor.execute("set local default_statistics_target to default")


def create(cursor: psycopg.Cursor, event_dates: Iterable[date]) -> None:
    """Create the partitions of these event days where they are missing."""
    for event_date in sorted(event_dates):
        for table, partition in zip(_TABLES, names(event_date), strict=True):
            cursor.execute(
                sql.SQL("create table if not exists {} partition of {} for values from ({}) to ({})").format(
                    sql.Identifier(*partition.split(".")), sql.Identifier("raw", table), *_bounds(event_date)
                )
            )


def _uniqueness(cursor: psycopg.Cursor, table: str) -> str:
    # As the table has it, which may be older than the order of the columns that is quicker to sort by.
    cursor.execute(
        "select pg_get_constraintdef(oid) from pg_constraint where conrelid = %s::regclass and contype = 'u'",
        [f"raw.{table}"],
    )
    (definition,) = cursor.fetchone() or ("",)
    return str(definition)


def _bounds(event_date: date) -> tuple[sql.Literal, sql.Literal]:
    return sql.Literal(event_date.isoformat()), sql.Literal((event_date + ONE_DAY).isoformat())
