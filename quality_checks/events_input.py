"""Checks of what trackers send: the shares of dropped fields and placeholder ids, and sessions shared by devices.

Every check reads the window's days only and warns. The events are kept; the trackers have to be corrected.
"""

from typing import Final

import psycopg

from quality_checks.outcome import SAMPLE_ROWS, Finding, Severity, finding
from quality_checks.queries import rows_of, take_totals
from quality_checks.registry import check
from warehouse.window import Window

# Share of a landing day's lines with one field dropped, November 2026. Odd values of single visitors stay below 1 %. A
# tracker's release that breaks a field moves the share far past 5 %.
MAX_DROPPED_SHARE: Final = 0.05
# Share of a landing day's lines with one id that is a placeholder, November 2026. A correct tracker sends none. One
# that reads an id too early sends it with most of its events; 1 % leaves room for old versions of an app.
MAX_PLACEHOLDER_SHARE: Final = 0.01

_COUNTED: Final = """
with
loads as (
    select landing_date, lines_read, dropped_fields, placeholder_ids
    from ops.loads
    where landing_date >= %(start)s and landing_date < %(end)s and replaced_by is null
),
landing_days as (
    select landing_date, sum(lines_read) as lines_read
    from loads
    group by landing_date
),
counted as (
    select landing_date, field, events, true as is_dropped
    from loads
    cross join lateral jsonb_each(dropped_fields) as fields (field, counts)
    cross join lateral jsonb_each_text(counts) as counted (reason, events)
    union all
    select landing_date, field, events, false as is_dropped
    from loads
    cross join lateral jsonb_each_text(placeholder_ids) as fields (field, events)
)
select landing_date, field, cast(sum(events::bigint) as bigint) as events, cast(lines_read as bigint) as lines_read
from counted
inner join landing_days using (landing_date)
where is_dropped = %(is_dropped)s
group by landing_date, field, lines_read
order by landing_date, events desc, field
"""

_SHARED_SESSIONS: Final = """
with
shared as (
    select event_date, session_id, count(distinct anonymous_id) as devices, count(*) as events
    from raw.events
    where event_date >= %(start)s and event_date < %(end)s
        and session_id is not null and anonymous_id is not null
    group by event_date, session_id
    having min(anonymous_id collate "C") <> max(anonymous_id collate "C")
)
select event_date, session_id, devices, events,
    (select count(*) from shared) as all_sessions,
    (select array_agg(distinct event_date order by event_date) from shared) as days
from shared
order by devices desc, event_date, session_id
limit %(rows_shown)s
"""


@check("raw/events", severity=Severity.WARNING, threshold=MAX_DROPPED_SHARE)
def dropped_field_rate_below_threshold(connection: psycopg.Connection, window: Window) -> Finding:
    """On every landing day of the window, each field was dropped in at most MAX_DROPPED_SHARE of the lines.

    An optional field that breaks its rule is dropped; the event stays without it.
    """
    return _rates_below(connection, window, MAX_DROPPED_SHARE, is_dropped=True)


@check("raw/events", severity=Severity.WARNING, threshold=MAX_PLACEHOLDER_SHARE)
def placeholder_id_rate_below_threshold(connection: psycopg.Connection, window: Window) -> Finding:
    """On every landing day of the window, each id was a placeholder in at most MAX_PLACEHOLDER_SHARE of the lines.

    Placeholders, such as `undefined`, are listed in the seed placeholder_ids and count as absent.
    """
    return _rates_below(connection, window, MAX_PLACEHOLDER_SHARE, is_dropped=False)


@check("raw/events", severity=Severity.WARNING)
def sessions_stay_on_one_device(connection: psycopg.Connection, window: Window) -> Finding:
    """No session that a tracker names is used by several devices (anonymous ids) on a day of the window.

    A shared session takes the channel of its first event for all of them. Mostly the session id comes from a server or
    is built into an app. The sample shows how many devices and events the sessions with the most devices have. It
    names no session, since samples name no person.
    """
    shown = rows_of(connection, _SHARED_SESSIONS, window, rows_shown=SAMPLE_ROWS)
    sessions, days = take_totals(shown, "all_sessions", "days")
    sample = [{name: value for name, value in row.items() if name != "session_id"} for row in shown]
    return finding({"shared_sessions": sessions}, sample, days or ())


def _rates_below(connection: psycopg.Connection, window: Window, allowed_share: float, *, is_dropped: bool) -> Finding:
    """Compare the share of each field on each landing day with a bound."""
    counted = rows_of(connection, _COUNTED, window, is_dropped=is_dropped)
    bad = [row for row in counted if row["events"] > allowed_share * row["lines_read"]]
    observed = {"events": sum(int(row["events"]) for row in counted), "allowed_share": allowed_share}
    return finding(observed, bad, (row["landing_date"] for row in bad))
