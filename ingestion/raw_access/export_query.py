"""Query of an export: stored events in the order of their time, day by day, in batches."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import date
from typing import Any, Final

import psycopg
from psycopg.rows import dict_row

from ingestion import day_partitions
from ingestion.raw_access.entity_lookup import entity_condition
from ingestion.raw_access.export_redaction import COLUMNS
from ingestion.raw_access.export_selection import ExportSelection
from ingestion.schema import ATTRIBUTION_COLUMN_NAMES

# A row has about 600 bytes and at most 20 KB. A batch becomes a row group of Parquet, which should be large.
BATCH_ROWS: Final = 5_000
_COLUMNS: Final = ", ".join(
    f"{'attribution' if name in ATTRIBUTION_COLUMN_NAMES else 'events'}.{name}" for name, _ in COLUMNS
)


def read_batches(connection: psycopg.Connection, selection: ExportSelection) -> Iterator[list[dict[str, Any]]]:
    """Yield batches of events with their attribution, oldest first, in the caller's transaction."""
    for day in _days(connection, selection):
        events, attribution = day_partitions.names(day)
        conditions = ["true"]
        if selection.entity_type and selection.entity_id:
            conditions.append(entity_condition(selection.entity_type))
        if selection.event_type:
            conditions.append("event_type = %(event_type)s")
        query = f"""
            select {_COLUMNS} from (select * from {events} as events where {" and ".join(conditions)}) as events
            left join {attribution} as attribution using (event_date, event_key)
            order by occurred_at, event_key collate "C"
        """
        with connection.cursor("exported_events", row_factory=dict_row) as cursor:
            cursor.execute(query, asdict(selection))
            while batch := cursor.fetchmany(BATCH_ROWS):
                yield batch


def _days(connection: psycopg.Connection, selection: ExportSelection) -> list[date]:
    """Return the days of the selection that have a partition."""
    days = [
        day
        for (day,) in connection.execute(
            "select to_date(right(relname, 8), 'YYYYMMDD') from pg_inherits"
            " inner join pg_class on pg_class.oid = inhrelid where inhparent = 'raw.events'::regclass order by 1"
        )
    ]
    return days if selection.days is None else [day for day in days if day in selection.days]
