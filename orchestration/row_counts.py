"""How many rows each day of a table has, and how Dagster is told."""

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
    """Rows of every day of the window, 0 where there are none. Reads the window and nothing else."""
    statement = sql.SQL(
        "select {column}, count(*) from {table} where {column} >= {start} and {column} < {end} group by {column}"
    ).format(
        column=sql.Identifier(date_column),
        table=sql.Identifier(schema, table),
        start=sql.Literal(window.start),
        end=sql.Literal(window.end),
    )
    return dict.fromkeys(window.days(), 0) | dict(connection.execute(statement).fetchall())


def tell(context: dg.AssetExecutionContext, key: dg.AssetKey, rows: Mapping[date, int]) -> None:
    """Give each partition of an asset its own count. Before the asset's result is yielded; later has no effect."""
    for day, count in rows.items():
        context.add_asset_metadata({PARTITION_ROWS: count}, asset_key=key, partition_key=day.isoformat())
