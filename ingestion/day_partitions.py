"""Partitions of raw.events and raw.attribution by event day. Everything runs in the caller's transaction."""

from collections.abc import Iterable
from datetime import date
from typing import Final

import psycopg

from warehouse.single_values import value_of
from warehouse.window import ONE_DAY

_TABLES: Final = ("events", "attribution")
# Estimate for a stored event.
_ROW_BYTES: Final = 500
_UNIQUE: Final = "select pg_get_constraintdef(oid) from pg_constraint where conrelid = %s::regclass and contype = 'u'"


def names(event_date: date) -> tuple[str, str]:
    """Return the names of an event day's partitions of raw.events and raw.attribution."""
    events, attribution = (f"raw.{table}_{event_date:%Y%m%d}" for table in _TABLES)
    return events, attribution


def stored_rows(cursor: psycopg.Cursor, event_date: date) -> int | None:
    """Estimate the stored events of a day; None if the day has no partition."""
    size = value_of(cursor, "select pg_relation_size(to_regclass(%s))", [names(event_date)[0]])
    return None if size is None else int(size) // _ROW_BYTES


def create_detached_partition(cursor: psycopg.Cursor, event_date: date) -> None:
    """Create the tables that `attach` makes partitions of a new event day.

    Filling an index row by row takes three times as long as building it at the end. A detached table also keeps no
    reader of other days waiting.
    """
    for table, partition in zip(_TABLES, names(event_date), strict=True):
        cursor.execute(f"create table {partition} (like raw.{table} including defaults)")


def attach(cursor: psycopg.Cursor, event_date: date) -> None:
    """Attach the tables of `create_detached_partition`. Raises UniqueViolation when they hold a key twice."""
    # Some hundred rows show that all are of one day and have unique keys.
    cursor.execute("set local default_statistics_target = 1")
    for table, partition in zip(_TABLES, names(event_date), strict=True):
        # As the parent has it: older tables have the columns of the constraint in another order.
        unique = value_of(cursor, _UNIQUE, [f"raw.{table}"])
        cursor.execute(f"alter table {partition} add {unique}")
        cursor.execute(f"alter table raw.{table} attach partition {partition} {_bounds(event_date)}")
        cursor.execute(f"analyze {partition} (event_date, event_key)")
    cursor.execute("set local default_statistics_target to default")


def drop(cursor: psycopg.Cursor, event_date: date) -> None:
    """Drop the partitions of an event day. Readers of other days wait for the end of the transaction."""
    for partition in names(event_date):
        cursor.execute(f"drop table if exists {partition}")


def create(cursor: psycopg.Cursor, event_dates: Iterable[date]) -> None:
    """Create the partitions of these event days where they are missing."""
    for event_date in sorted(event_dates):
        for table, partition in zip(_TABLES, names(event_date), strict=True):
            bounds = _bounds(event_date)
            cursor.execute(f"create table if not exists {partition} partition of raw.{table} {bounds}")


def _bounds(event_date: date) -> str:
    return f"for values from ('{event_date}') to ('{event_date + ONE_DAY}')"
