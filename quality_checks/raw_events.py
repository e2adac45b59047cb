"""Checks of raw events that the contract keeps: types outside the registry, and keys on several days.

The rules for a single row are in `suites/raw_events.json`, those for loads in quality_checks/loads.py.
"""

from datetime import timedelta
from typing import Final

import psycopg

from quality_checks.outcome import SAMPLE_ROWS, Finding, Severity, finding
from quality_checks.queries import rows_of, take_totals
from quality_checks.registry import check
from warehouse.window import Window

# Days to both sides in which a key is looked up. A client that gives a retry a new time retries within hours, at worst
# after a weekend offline. Measured for a day of 100,000 events among days of that size (November 2026): 1 day to both
# sides 0.4 s, 3 days 0.8 s, 7 days 1.1 s with two workers.
KEY_NEIGHBOUR_DAYS: Final = timedelta(days=3)

_UNREGISTERED: Final = """
with
unregistered as (
    select event_date, event_type, count(*) as events
    from raw.events
    where event_date >= %(start)s and event_date < %(end)s
        and not exists (select from staging.event_types as known where known.event_type = events.event_type)
    group by event_date, event_type
)
select
    event_type,
    cast(sum(events) as bigint) as events,
    count(*) over () as all_types,
    (select cast(sum(events) as bigint) from unregistered) as all_events,
    (select array_agg(distinct event_date order by event_date) from unregistered) as days
from unregistered
group by event_type
order by sum(events) desc, event_type
limit %(rows_shown)s
"""


@check("staging/event_types", severity=Severity.WARNING)
def event_types_are_registered(connection: psycopg.Connection, window: Window) -> Finding:
    """Every event type of the window is in the registry, staging.event_types; the others are counted.

    The sample shows the most frequent ones: a client that puts ids into event types can send any number.
    """
    shown = rows_of(connection, _UNREGISTERED, window, rows_shown=SAMPLE_ROWS)
    types, events, days = take_totals(shown, "all_types", "all_events", "days")
    return finding({"unregistered_types": types, "events": events}, shown, days or ())


_REPEATED_KEYS: Final = """
with
repeated as (
    select mine.event_date, mine.event_key
    from raw.events as mine
    where mine.event_date >= %(start)s and mine.event_date < %(end)s
        and exists (
            select from raw.events as others
            where others.event_date >= %(first)s and others.event_date < %(last)s
                and others.event_key = mine.event_key and others.event_date <> mine.event_date
        )
)
select
    event_date,
    count(*) as keys,
    min(event_key) as example,
    (select count(distinct event_key) from repeated) as distinct_keys
from repeated
group by event_date
order by event_date
"""


@check("raw/events", severity=Severity.WARNING)
def event_keys_unique_across_days(connection: psycopg.Connection, window: Window) -> Finding:
    """No key of the window occurs on a second event day.

    Both events are kept, by contract. A repeated key mostly means a client that gives its retries a new time, so that
    one event counts twice. Keys are looked up KEY_NEIGHBOUR_DAYS to both sides of the window and no further.
    """
    first, last = window.start - KEY_NEIGHBOUR_DAYS, window.end + KEY_NEIGHBOUR_DAYS
    repeated = rows_of(connection, _REPEATED_KEYS, window, first=first, last=last)
    [keys] = take_totals(repeated, "distinct_keys")
    return finding({"repeated_keys": keys}, repeated, (row["event_date"] for row in repeated))
