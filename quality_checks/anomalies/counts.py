"""Counts behind the measures of days: read from the rollup of event days, and from the lines of landing days."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Final

import pandas as pd
import psycopg

from quality_checks.anomalies.measures import BASELINE_WEEKS
from quality_checks.queries import rows_of
from warehouse.single_values import exist

KEYS: Final = ["day", "event_source"]

# A day as it was built last; as it is published where schema build no longer has it.
_EVENT_DAYS: Final = """
with built as (
    select * from build.event_source_days where metric_date = any(%(days)s::date[])
)
select metric_date as day, event_source, events, active_hours, delayed_events, sessions, direct_sessions,
    unassigned_sessions, conversions, repeated_conversions, revenue_cents, revenue_events, revenue_logs::float8
from (
    select * from built
    union all
    select * from rollups.event_source_days
    where metric_date = any(%(days)s::date[]) and metric_date not in (select metric_date from built)
) as days
"""
_LANDING_DAYS: Final = """
select landing_date as day, event_source, accepted + duplicates + rejected as lines, late, duplicates, rejected
from ops.landing_measures
where landing_date = any(%(days)s::date[])
"""
_HOLIDAYS: Final = "select holiday from staging.holidays where holiday = any(%(days)s::date[])"


def same_weekdays_before(days: Iterable[date], weeks: int = BASELINE_WEEKS) -> set[date]:
    """Return the days whole weeks before some days, up to so many weeks."""
    return {day - timedelta(weeks=week) for day in days for week in range(1, weeks + 1)}


def counts_of(connection: psycopg.Connection, days: Iterable[date], *, by_landing_day: bool) -> pd.DataFrame:
    """Return a row of counts for each of the days and each source, 0 where a day has none of a source.

    A day without any row is left out: nothing is known of it.
    """
    statement = _LANDING_DAYS if by_landing_day else _EVENT_DAYS
    rows = rows_of(connection, statement, days=sorted(days))
    if not rows:
        return pd.DataFrame()
    counts = pd.DataFrame(rows).set_index(KEYS).sort_index()
    every = [(day, source) for day in counts.index.unique("day") for source in counts.index.unique("event_source")]
    return counts.reindex(pd.MultiIndex.from_tuples(every, names=KEYS), fill_value=0)


def holidays_among(connection: psycopg.Connection, days: Iterable[date]) -> set[date]:
    """Return the days that the seed holidays lists."""
    if not exist(connection, "staging.holidays"):
        return set()
    return {row["holiday"] for row in rows_of(connection, _HOLIDAYS, days=sorted(days))}
