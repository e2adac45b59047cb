"""Common parts of the sections on published numbers: rows of marts, periods, tables of numbers."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, Final, NamedTuple

import psycopg
from psycopg.rows import namedtuple_row

from reporting.pages import numbers
from reporting.pages.blocks import Column, Table, text_column
from warehouse.single_values import exist, value_of

# The period of the figures and lists.
SHOWN: Final = "30d"
PERIODS: Final = {
    "today": "Last day",
    "7d": "7 days",
    "30d": "30 days",
    "90d": "90 days",
    "1y": "365 days",
    "all": "All days",
}


class Number(NamedTuple):
    """A column of a mart as a line of a table: its label, its name in the mart, and how it is written."""

    label: str
    name: str
    written: Callable[[Any], str]


DAY: Final = Number("Day", "metric_date", numbers.short_day)
ASSET: Final = Number("Asset", "title", numbers.text)


def rows_of(connection: psycopg.Connection, query: str, **parameters: object) -> list[Any]:
    """Return the rows of a query, with its columns as attributes."""
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        return cursor.execute(query, parameters).fetchall()


def last_published_day(connection: psycopg.Connection, *marts: str) -> date | None:
    """Return the last day of mart periods; None while it or one of these other marts is not published."""
    if not exist(connection, *(f"marts.{mart}" for mart in ("periods", *marts))):
        return None
    day: date | None = value_of(connection, "select max(last_date) from marts.periods")
    return day


def missing_days(connection: psycopg.Connection) -> str:
    """Return a sentence on days of the shown period that are not published; empty when all are."""
    missing = value_of(connection, "select days_missing from marts.periods where period = %s", [SHOWN])
    return f"{missing} of these 30 days are not published: they count as nothing." if missing else ""


def by_period(rows: Sequence[Any], lines: Sequence[Number]) -> Table:
    """Return a table of rows that each are of a period: a line a number, a column a period."""
    found = {row.period: row for row in rows}
    shown = [period for period in PERIODS if period in found]
    return Table(
        [text_column(""), *(Column(PERIODS[period]) for period in shown)],
        [[line.label, *(line.written(getattr(found[period], line.name)) for period in shown)] for line in lines],
        "No period is published.",
    )


def listed(rows: Sequence[Any], heading: Number, columns: Sequence[Number], empty: str) -> Table:
    """Return a table with a line a row, which `heading` names."""
    return Table(
        [text_column(heading.label), *(Column(column.label) for column in columns)],
        [[column.written(getattr(row, column.name)) for column in (heading, *columns)] for row in rows],
        empty,
    )
