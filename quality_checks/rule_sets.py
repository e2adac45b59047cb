"""Check of rule sets: all rows of an event day were validated by one version of code, lists and settings."""

from datetime import timedelta
from typing import Final

import psycopg

from quality_checks.outcome import Finding, Severity, finding
from quality_checks.queries import rows_of
from quality_checks.registry import check
from warehouse.window import Window

# ops.loads names the days that may mix rules; only their partitions are read.
_CANDIDATES: Final = """
select day as event_date
from ops.loads, unnest(event_dates) as day
where replaced_by is null and day >= %(start)s and day < %(end)s
group by day
having count(distinct coalesce(rules_digest, '')) > 1
order by day
"""

_MIXED: Final = """
with
latest as (
    select coalesce(rules_digest, '') as digest from ops.loads order by load_id desc limit 1
),
stored as (
    select events.event_date, events.load_id, count(*) as events
    from raw.events as events
    where events.event_date = any(%(days)s::date[])
    group by events.event_date, events.load_id
),
ruled as (
    select stored.event_date, stored.events, loads.landing_date,
        coalesce(loads.rules_digest, '') as digest,
        coalesce(loads.rules_digest, '') <> (select digest from latest) as is_older
    from stored inner join ops.loads as loads using (load_id)
)
select
    event_date,
    count(distinct digest) as rule_sets,
    cast(coalesce(sum(events) filter (where is_older), 0) as bigint) as events_of_other_rules,
    min(landing_date) filter (where is_older) as first_landing_date,
    max(landing_date) filter (where is_older) as last_landing_date
from ruled
group by event_date
having count(distinct digest) > 1
order by event_date
"""


@check("raw/events", severity=Severity.WARNING)
def event_days_have_one_rule_set(connection: psycopg.Connection, window: Window) -> Finding:
    """All rows of an event day come from loads under the same rules. Where they do not, `reload` corrects the day.

    A load keeps the digest of its rules (code, lists, settings), and late events are read by today's rules. A sample
    row names a day and the landing days to reload: `warehouse reload START END`, END exclusive.
    """
    days = [row["event_date"] for row in rows_of(connection, _CANDIDATES, window)]
    mixed = rows_of(connection, _MIXED, days=days) if days else []
    reloadable = [row for row in mixed if row["first_landing_date"] is not None]
    observed: dict[str, int | str] = {"days_of_mixed_rules": len(mixed)}
    if reloadable:
        first = min(row["first_landing_date"] for row in reloadable)
        end = max(row["last_landing_date"] for row in reloadable) + timedelta(days=1)
        observed["to_do"] = f"warehouse reload {first} {end}"
    return finding(observed, mixed, (row["event_date"] for row in mixed))
