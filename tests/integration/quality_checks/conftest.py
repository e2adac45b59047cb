"""A warehouse for checks: empty but for the registry of event types."""

import psycopg
import pytest

from ingestion import day_partitions, schema
from tests.integration.quality_checks.handmade import DAYS, DBT_TABLES, Rows


@pytest.fixture
def rows(connection: psycopg.Connection) -> Rows:
    """A warehouse with partitions around FIRST_DAY and dbt's tables, and no rows but the registry's."""
    connection.commit()
    connection.autocommit = True
    with connection.transaction(), connection.cursor() as cursor:
        day_partitions.create(cursor, DAYS)
        cursor.execute(DBT_TABLES)
    return Rows(connection)


@pytest.fixture
def rows_without_constraints(rows: Rows) -> Rows:
    """Rows for raw.events without its constraints, so that rows are possible that Postgres itself would reject."""
    columns = ", ".join(f"{name} {definition.replace('not null', '')}" for name, definition in schema.EVENT_COLUMNS)
    rows.execute("drop table raw.events cascade")
    rows.execute(f"create table raw.events ({columns}, load_id bigint, line_number bigint)")
    return rows
