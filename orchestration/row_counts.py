"""Row counts by day, as metadata of partitions."""

from collections.abc import Mapping
from datetime import date
from typing import Final

import dagster as dg
import psycopg
from psycopg import sql

from warehouse.window import Window

PARTITION_ROWS: Final = "dagster/partition_row_count"


def rows_by_day(
    connection: psycopg.Connection, schema: str, table: str, date_column: str, window: Window
) -> dict[date, int]:
    """Count the rows of every day of the window, 0 included. Reads no other days."""
    statement = sql.SQL(
        "select {column}, count(*) from {table} where {column} >= {start} and {column} < {end} group by {column}"
    ).format(
        column=sql.Identifier(date_column),
        table=sql.Identifier(schema, table),
        start=sql.Literal(window.start),
        end=sql.Literal(window.end),
    )
    return dict.fromkeys(window.days(), 0) | dict(connection.execute(statement).fetchall())


def add_row_counts(context: dg.AssetExecutionContext, key: dg.AssetKey, rows: Mapping[date, int]) -> None:
    """Add to each partition of an asset its count. Call it before the asset's result is yielded."""
    for day, count in rows.items():
        context.add_asset_metadata({PARTITION_ROWS: count}, asset_key=key, partition_key=day.isoformat())
