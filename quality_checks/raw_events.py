"""What the window's raw events are together: kept by contract one by one, and yet worth a person's look.

What must hold for a single row is declared in `suites/`; what the ledger says is in ledger.py.
"""

from datetime import timedelta
from typing import Final

import psycopg

from quality_checks.outcome import SAMPLE_ROWS, CheckOutcome, Severity, json_row
from quality_checks.queries import rows_of
from warehouse.window import Window

# How far from its day a key is looked for again. A client that stamps a retry anew retries within hours, at worst
# after a weekend offline. Measured for one day of 100,000 events among days of that size (November 2026): 1 day to
# both sides 0.4 s, 3 days 0.8 s, 7 days 1.1 s with two workers.
_KEY_NEIGHBOUR_DAYS: Final = timedelta(days=3)

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


def event_types_are_registered(connection: psycopg.Connection, window: Window) -> CheckOutcome:
    """Every event type of the window stands in the registry, staging.event_types; the others are counted.

    The sample shows the most frequent ones: a client that puts ids into its types can send any number.
    """
    shown = rows_of(
        connection,
        _UNREGISTERED,
        {"start": window.start, "end": window.end, "rows_shown": SAMPLE_ROWS},
    )
    return CheckOutcome(
        name="event_types_are_registered",
        passed=not shown,
        severity=Severity.WARNING,
        observed={
            "unregistered_types": int(shown[0]["all_types"]) if shown else 0,
            "events": int(shown[0]["all_events"]) if shown else 0,
        },
        days=tuple(shown[0]["days"]) if shown else (),
        sample=tuple(json_row({"event_type": row["event_type"], "events": row["events"]}) for row in shown),
    )


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


def event_keys_unique_across_days(connection: psycopg.Connection, window: Window) -> CheckOutcome:
    """No key of the window occurs on a second event day.

    Both events are kept, by contract; a repeated key mostly means a client that stamps its retries anew, so that
    one thing is counted twice. Looks _KEY_NEIGHBOUR_DAYS to both sides of the window, no further: a key that comes
    back later than that is not found unless the window is long enough to hold both days.
    """
    repeated = rows_of(
        connection,
        _REPEATED_KEYS,
        {
            "start": window.start,
            "end": window.end,
            "first": window.start - _KEY_NEIGHBOUR_DAYS,
            "last": window.end + _KEY_NEIGHBOUR_DAYS,
        },
    )
    return CheckOutcome(
        name="event_keys_unique_across_days",
        passed=not repeated,
        severity=Severity.WARNING,
        observed={"repeated_keys": int(repeated[0]["distinct_keys"]) if repeated else 0},
        days=tuple(row["event_date"] for row in repeated),
        sample=tuple(
            json_row({name: row[name] for name in ("event_date", "keys", "example")}) for row in repeated[:SAMPLE_ROWS]
        ),
    )
