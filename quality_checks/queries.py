"""Queries of the SQL checks: one statement, named parameters, rows as dictionaries; and the parts that they share."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final, LiteralString

import psycopg
from psycopg.rows import dict_row

from warehouse.window import Window

# The columns that add up over any grouping; unique visitors do not.
ADDITIVE_COLUMNS: Final = ("views", "clicks", "conversions", "revenue_cents", "engagement_time")
# Expected rows count up and shown rows count down, and so do their numbers: the sums are the differences.
EXCESS: Final = ("missing_rows", "views", "clicks", "conversions", "revenue_cents")
# What each row of a mart counts towards EXCESS.
NUMBERS: Final = ("1", *EXCESS[1:])

# The condition that a row is of a day of the window.
IN_WINDOW: Final = "metric_date >= %(start)s and metric_date < %(end)s"
# A condition on a date by constants, so that an index finds the days of a statement's periods.
IN_PERIODS: Final = "between (select min(first_date) from periods) and (select max(last_date) from periods)"


# Whether published tables count as empty.
_IS_NOTHING_PUBLISHED: ContextVar[bool] = ContextVar("is_nothing_published", default=False)
_PUBLISHED: Final = re.compile(r"\b(?:marts|rollups)\.(\w+)")


@contextmanager
def nothing_published() -> Iterator[None]:
    """Let statements find no row in published tables: schema build has every day, perhaps with other columns."""
    token = _IS_NOTHING_PUBLISHED.set(True)
    try:
        yield
    finally:
        _IS_NOTHING_PUBLISHED.reset(token)


def sums_of(columns: Sequence[str]) -> str:
    """Return select items: the sum of each column, under its name."""
    return ", ".join(f"sum({column}) as {column}" for column in columns)


def differ(columns: Sequence[str]) -> str:
    """Return the condition that the sum of any of the columns is not 0."""
    return " or ".join(f"sum({column}) <> 0" for column in columns)


def uneven(keys: str, numbers: Sequence[str]) -> str:
    """Return the last select of a comparison: the groups of the CTE both_sides whose numbers do not add up to 0.

    One side is added and the other subtracted. A join would not take nulls as equal and would lose rows of one side.
    """
    return f"select {keys}, {sums_of(numbers)} from both_sides group by {keys} having {differ(numbers)} order by {keys}"


def subtracted(mart: str, keys: str, numbers: Sequence[str], where: str = IN_WINDOW) -> str:
    """Return a select for the CTE both_sides: the keys of a built mart's rows, and their numbers with changed sign."""
    return f"select {keys}, {', '.join(f'-{number}' for number in numbers)} from build.{mart} where {where}"


def days_to_publish(mart: str, columns: str, *, schema: str = "marts") -> str:
    """Return a select of a mart's days as they will be published: those of the window as built, all others as now.

    A condition that is added to the text holds for the published days.
    """
    return f"""
    select {columns} from build.{mart} where metric_date >= %(start)s and metric_date < %(end)s
    union all
    select {columns} from {schema}.{mart} where (metric_date < %(start)s or metric_date >= %(end)s)"""


def rows_of(
    connection: psycopg.Connection, statement: LiteralString, window: Window | None = None, **parameters: object
) -> list[dict[str, Any]]:
    """Return the rows of a statement as dictionaries, with the window as %(start)s and %(end)s. Ends no transaction."""
    bounds = {"start": window.start, "end": window.end} if window else {}
    if _IS_NOTHING_PUBLISHED.get():
        statement = _PUBLISHED.sub(r"(select * from build.\1 where false)", statement)
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement, bounds | parameters).fetchall()


def take_totals(rows: list[dict[str, Any]], *names: str) -> list[Any]:
    """Remove the totals of all rows, which each row of a limited result repeats, and return them; 0 without a row."""
    return [([row.pop(name) for row in rows] or [0])[0] for name in names]


def rows_of_whole_tables(
    connection: psycopg.Connection, statement: LiteralString, window: Window
) -> list[dict[str, Any]]:
    """Return the rows of a statement that joins most rows of its tables, without nested loops.

    Postgres expects next to no row of the product's last versions and would compare each with every other. Lists of
    3,000 creators then take 50 s instead of 1 s (2 cores, 2026-11).
    """
    with connection.transaction():
        connection.execute("set local enable_nestloop = off")
        rows = rows_of(connection, statement, window)
        # The caller's transaction may go on.
        connection.execute("set local enable_nestloop to default")
    return rows
