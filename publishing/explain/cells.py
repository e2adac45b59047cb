"""Explained cells: for columns of a mart, the query of the rows that make up a cell, and the value over these rows.

A query of rows reads the CTE `cell`, the row of the mart. $1 and $2 are the first and last day of its span; both are
null where it has no such end. Its first two columns give the order in which rows are shown. Rows of what reads
raw.events have the columns `load_id`, `file`, `line_number` and `line_position`. Ids of people are in ID_COLUMNS.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

# Left out of rows, unless they are asked for.
ID_COLUMNS: Final = ("visitor_id",)
# Left out of rows: by them the rows of a column are chosen.
FLAG_COLUMNS: Final = ("is_view", "is_click", "is_conversion", "is_explained")

IN_SPAN: Final = "between coalesce($1, '-infinity') and coalesce($2, 'infinity')"


class Span(StrEnum):
    """The days that make up a cell, as a query of the first and last one of the CTE `cell`."""

    DAY = "select metric_date, metric_date from cell"
    WEEK = "select metric_date, metric_date + 6 from cell"
    MONTH = "select metric_date, (metric_date + interval '1 month')::date - 1 from cell"
    PERIOD = "select periods.first_date, periods.last_date from cell inner join marts.periods using (period)"
    COHORT_WEEK = "select cohort_week + 7 * week_number, cohort_week + 7 * week_number + 6 from cell"


@dataclass(frozen=True, slots=True)
class Value:
    """The value of a column: an aggregate over the rows, the same in words, and the condition of rows that count."""

    expression: str
    words: str
    condition: str = "true"


@dataclass(frozen=True, slots=True)
class Cells:
    """Columns of a mart whose cells are made of the same rows.

    Attributes:
        mart: The name of the mart.
        rows: The query of the rows.
        values: By column, how the rows give its value.
        span: The days of a cell.
        reads: Tables that lose the rows of sealed days, by their names in ops.retention_progress.
    """

    mart: str
    rows: str
    values: Mapping[str, Value]
    span: Span = Span.DAY
    reads: tuple[str, ...] = ()


def total(column: str, what: str) -> Value:
    """Return a sum over the rows."""
    return Value(f"coalesce(sum({column}), 0)", f"sum of {column} over {what}", f"{column} <> 0")


def quotient(numerator: str, denominator: str) -> str:
    """Return a quotient with 4 decimals, as marts round it; null where the denominator is 0."""
    return f"round(cast({numerator} as numeric(38, 16)) / nullif({denominator}, 0), 4)"


def rate(numerator: str, denominator: str) -> str:
    """Return a quotient that is 0 where its denominator is."""
    return f"coalesce({quotient(numerator, denominator)}, 0)"


def percentage(numerator: str, denominator: str) -> str:
    """Return a share in per cent that is 0 where its denominator is."""
    return rate(f"100 * cast({numerator} as numeric(38, 0))", denominator)


def growth(current: str, previous: str) -> str:
    """Return by how many per cent a number has grown; null where the previous one is absent or 0."""
    return quotient(f"100 * (cast({current} as numeric(38, 3)) - {previous})", previous)


def summed(column: str, condition: str = "true") -> str:
    """Return the sum of a column over rows with a condition, 0 where there is none."""
    return f"coalesce(sum({column}) filter (where {condition}), 0)"


def same(columns: tuple[str, ...], relation: str) -> str:
    """Return the condition that a relation has the cell's values in these columns, of which each may be null."""
    return " and ".join(f"{relation}.{column} is not distinct from cell.{column}" for column in columns)
