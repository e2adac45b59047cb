"""Application of retention: days are sealed, and their rows are dropped, one day and table at a time.

Each step is a transaction that also records how far its table is. It holds the warehouse for that step alone, so that
runs go on between two steps. The next call goes on where an interrupted one has ended.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date
from typing import Final

import psycopg
from psycopg import sql

from ingestion import sealed_rows
from publishing.retention_bounds import OBSERVATIONS, RAW_DUPLICATES, RAW_EVENTS, RAW_REJECTED, SESSIONS, Bound
from warehouse import retention
from warehouse.single_values import exist, value_of
from warehouse.window import Window

# A drop of a partition waits for readers of raw.events, and lets later ones wait meanwhile.
LOCK_SECONDS: Final = 10
# The day of the oldest row of any table: a late event is older than its landing day.
_FIRST_DAY: Final = """
select least(
    (select min(event_date) from ops.published_days),
    (select min(landing_date) from ops.loads),
    (select min(day) from ops.loads, unnest(event_dates) as day)
)
"""
_NOTE: Final = """
insert into ops.retention_progress (relation, dropped_before) values (%s, %s)
on conflict (relation) do update set dropped_before = excluded.dropped_before
"""
# Who a device belongs to is decided by all earlier days: the first sight of each link stays.
_OBSERVATIONS: Final = """
delete from intermediate.int_identity_observations as seen
where event_date = %(day)s and (
    actor_id is null
    or exists (
        select from intermediate.int_identity_observations as earlier
        where earlier.anonymous_id = seen.anonymous_id and earlier.actor_id = seen.actor_id
            and earlier.event_date < seen.event_date
    )
)
"""
# The first day of a visitor, the last one and the last one signed in stay: a day that is seen later makes the ones
# before it superfluous.
_ACTIVE_DAYS: Final = """
delete from rollups.visitor_active_days as old
using rollups.visitor_active_days as seen
where seen.metric_date = %(day)s and old.visitor_id = seen.visitor_id and old.metric_date < seen.metric_date
    and exists (
        select from rollups.visitor_active_days as first
        where first.visitor_id = old.visitor_id and first.metric_date < old.metric_date
    )
    and (
        not old.is_signed_in
        or exists (
            select from rollups.visitor_active_days as later
            where later.visitor_id = old.visitor_id and later.is_signed_in
                and later.metric_date > old.metric_date and later.metric_date <= seen.metric_date
        )
    )
"""
# The last day of a visitor at an asset stays. Rows without an asset count for their week and month alone.
_ASSET_DAYS: Final = """
delete from rollups.visitor_asset_days as old
where (metric_date = %(day)s and ip_asset_id is null)
    or (
        metric_date < %(day)s and (visitor_id, ip_asset_id) in (
            select visitor_id, ip_asset_id from rollups.visitor_asset_days where metric_date = %(day)s
        )
    )
"""
# A published session counts for good, and says no more whose it was.
_SESSIONS: Final = """
update marts.sessions set visitor_id = null where metric_date = %(day)s and visitor_id is not null
"""
_STATEMENTS: Final = {
    OBSERVATIONS: _OBSERVATIONS,
    SESSIONS: _SESSIONS,
    "rollups.visitor_active_days": _ACTIVE_DAYS,
    "rollups.visitor_asset_days": _ASSET_DAYS,
}
_RAW: Final[Mapping[str, Callable[[psycopg.Cursor, date], int]]] = {
    RAW_EVENTS: sealed_rows.drop_events,
    RAW_DUPLICATES: sealed_rows.drop_duplicates,
    RAW_REJECTED: sealed_rows.drop_rejected,
}

# Holds the warehouse for a block.
Holding = Callable[[], AbstractContextManager[None]]


@dataclass(slots=True)
class Dropped:
    """Rows that were dropped, and bytes that were freed, by table; and tables that are left."""

    rows: dict[str, int] = field(default_factory=dict)
    freed_bytes: dict[str, int] = field(default_factory=dict)
    # Tables that a reader kept busy: the next call goes on with them.
    left: list[str] = field(default_factory=list)


def seal(connection: psycopg.Connection, first_unsealed: date, *, holding: Holding) -> tuple[date, list[date]]:
    """Seal the days before this one.

    Return the first day that is not sealed now, and days that are sealed although they were stale: changes of them, and
    days that were never published, are in no number.
    """
    with holding():
        stale = connection.execute(
            "select distinct event_date from ops.stale_days where event_date < %s order by 1", [first_unsealed]
        ).fetchall()
        return retention.seal(connection, first_unsealed), [day for (day,) in stale]


def drop(
    connection: psycopg.Connection, bounds: Sequence[Bound], *, holding: Holding, log: Callable[[str], None]
) -> Dropped:
    """Drop the rows of sealed days up to these bounds. The connection is in autocommit mode."""
    dropped = Dropped()
    first_day = value_of(connection, _FIRST_DAY)
    for bound in bounds if first_day else ():
        days = list(_days_left(connection, bound, first_day))
        if not days or not exist(connection, bound.relation):
            continue
        size_before = _bytes(connection, bound.relation)
        rows = 0
        try:
            for day in days:
                with holding():
                    rows += _drop_day(connection, bound, day)
        except psycopg.errors.LockNotAvailable:
            dropped.left.append(bound.relation)
            log(f"{bound.relation}: a session has been reading it for longer; the rest is dropped the next time")
        if rows:
            if bound.relation != RAW_EVENTS:
                # Deleted rows give no space back by themselves; a dropped partition does.
                with holding():
                    connection.execute(sql.SQL("vacuum (analyze) {}").format(_identifier(bound)))
            dropped.rows[bound.relation] = rows
            dropped.freed_bytes[bound.relation] = max(size_before - _bytes(connection, bound.relation), 0)
            log(f"{bound.relation}: {rows:,} rows of days before {bound.before} are dropped")
    return dropped


def _days_left(connection: psycopg.Connection, bound: Bound, first_day: date) -> Iterator[date]:
    done = value_of(
        connection, "select dropped_before from ops.retention_progress where relation = %s", [bound.relation]
    )
    # Rows of a week or month have the first day of it.
    start = done or retention.visitor_days_from(first_day)
    if start < bound.before:
        yield from Window(start, bound.before).days()


def _drop_day(connection: psycopg.Connection, bound: Bound, day: date) -> int:
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(sql.SQL("set local lock_timeout = {}").format(sql.Literal(f"{LOCK_SECONDS}s")))
        cursor.execute("select ops.assert_writer()")
        if bound.relation in _RAW:
            rows = _RAW[bound.relation](cursor, day)
        elif bound.relation in _STATEMENTS:
            rows = cursor.execute(_STATEMENTS[bound.relation], {"day": day}).rowcount
        else:
            statement = sql.SQL("delete from {} where {} = %s").format(_identifier(bound), sql.Identifier(bound.column))
            rows = cursor.execute(statement, [day]).rowcount
        cursor.execute(_NOTE, [bound.relation, Window.day(day).end])
    return rows


def _bytes(connection: psycopg.Connection, relation: str) -> int:
    """Return the size of a table with its indexes; of raw.events, of its partitions and those of raw.attribution."""
    query = "select pg_total_relation_size(to_regclass(%s))"
    if relation == RAW_EVENTS:
        query = (
            "select sum(pg_total_relation_size(inhrelid)) from pg_inherits"
            " where inhparent in (to_regclass(%s), to_regclass('raw.attribution'))"
        )
    return int(value_of(connection, query, [relation]) or 0)


def _identifier(bound: Bound) -> sql.Identifier:
    return sql.Identifier(*bound.relation.split("."))
