"""Removal of the raw rows of sealed days, counted in the ledger, so that the counts of loads go on adding up.

Each function removes one day in the caller's transaction, and returns the number of rows.
"""

from datetime import date
from typing import Final

import psycopg

from ingestion import day_partitions

# The ledger is locked as by a load: counts and the rows that they count change together.
_LOCK: Final = "lock table ops.loads in share row exclusive mode"
_COUNT_EVENTS: Final = """
with counted as (
    select load_id, count(*) as counted from {partition} group by load_id
),
noted as (
    update ops.loads set dropped_accepted = dropped_accepted + counted.counted
    from counted where loads.load_id = counted.load_id
)
select coalesce(sum(counted), 0) from counted
"""
_DELETE: Final = """
with dropped as (
    {delete} returning load_id
),
counted as (
    select load_id, count(*) as counted from dropped group by load_id
),
noted as (
    update ops.loads set {column} = {column} + counted.counted
    from counted where loads.load_id = counted.load_id
)
select coalesce(sum(counted), 0) from counted
"""
# A line that is no event has no event day: it goes with its landing day.
_REJECTED: Final = """
delete from raw.rejected_events
where (event_date = %(day)s and candidate is not null)
    or (event_date is null and load_id in (select load_id from ops.loads where landing_date = %(day)s))
"""


def drop_events(cursor: psycopg.Cursor, day: date) -> int:
    """Drop the partitions of an event day."""
    if day_partitions.stored_rows(cursor, day) is None:
        return 0
    cursor.execute(_LOCK)
    events, _ = day_partitions.names(day)
    rows = _number(cursor, _COUNT_EVENTS.format(partition=events), day)
    day_partitions.drop(cursor, day)
    cursor.execute("delete from ops.unnormalized_days where event_date = %s", [day])
    return rows


def drop_duplicates(cursor: psycopg.Cursor, day: date) -> int:
    """Delete the duplicates of an event day."""
    cursor.execute(_LOCK)
    delete = "delete from raw.duplicate_events where event_date = %(day)s"
    return _number(cursor, _DELETE.format(delete=delete, column="dropped_duplicates"), day)


def drop_rejected(cursor: psycopg.Cursor, day: date) -> int:
    """Delete the rejected lines of a landing day, and the rate-limited events of the event day."""
    cursor.execute(_LOCK)
    return _number(cursor, _DELETE.format(delete=_REJECTED, column="dropped_rejected"), day)


def _number(cursor: psycopg.Cursor, query: str, day: date) -> int:
    (number,) = cursor.execute(query, {"day": day}).fetchone() or (0,)
    return int(number)
