"""Whether trackers send what the contract asks for: shares of what was dropped or absent, and sessions of one device.

Every check reads the window's days only and warns: the events are kept, and their senders have to be mended.
"""

from typing import Any, Final

import psycopg

from quality_checks.outcome import SAMPLE_ROWS, CheckOutcome, Severity, json_row
from quality_checks.queries import rows_of
from warehouse.window import Window

# Share of a landing day's lines with one field dropped, November 2026. Odd addresses of single visitors stay below 1 %;
# a release of a tracker that breaks a field moves the share far past 5 %.
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
dropped as (
    select landing_date, field, cast(sum(events::bigint) as bigint) as events
    from loads
    cross join lateral jsonb_each(dropped_fields) as fields (field, counts)
    cross join lateral jsonb_each_text(counts) as counted (reason, events)
    group by landing_date, field
),
placeholders as (
    select landing_date, field, cast(sum(events::bigint) as bigint) as events
    from loads
    cross join lateral jsonb_each_text(placeholder_ids) as fields (field, events)
    group by landing_date, field
),
counted as (
    select landing_date, field, events, true as is_dropped
    from dropped
    union all
    select landing_date, field, events, false as is_dropped
    from placeholders
)
select landing_date, field, events, cast(lines_read as bigint) as lines_read
from counted
inner join landing_days using (landing_date)
where is_dropped = %(is_dropped)s
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


def dropped_field_rate_below_threshold(connection: psycopg.Connection, window: Window) -> CheckOutcome:
    """On no landing day of the window a field was dropped in more than MAX_DROPPED_SHARE of the lines.

    A field is dropped when it is optional and breaks its rule; the event stays without it.
    """
    return _rare(connection, window, "dropped_field_rate_below_threshold", MAX_DROPPED_SHARE, is_dropped=True)


def placeholder_id_rate_below_threshold(connection: psycopg.Connection, window: Window) -> CheckOutcome:
    """On no landing day of the window an id was a placeholder in more than MAX_PLACEHOLDER_SHARE of the lines.

    Placeholders, such as `undefined`, stand in the seed placeholder_ids and count as absent.
    """
    return _rare(connection, window, "placeholder_id_rate_below_threshold", MAX_PLACEHOLDER_SHARE, is_dropped=False)


def sessions_stay_on_one_device(connection: psycopg.Connection, window: Window) -> CheckOutcome:
    """No session that a tracker names is used by several devices (anonymous ids) on a day of the window.

    Such a session takes the channel of its first event, whoever else is in it. Mostly a session id is made on a server
    or built into an app. The sample shows the sessions with the most devices.
    """
    shown = rows_of(connection, _SHARED_SESSIONS, {"start": window.start, "end": window.end, "rows_shown": SAMPLE_ROWS})
    return CheckOutcome(
        name="sessions_stay_on_one_device",
        passed=not shown,
        severity=Severity.WARNING,
        observed={"shared_sessions": int(shown[0]["all_sessions"]) if shown else 0},
        days=tuple(shown[0]["days"]) if shown else (),
        sample=tuple(
            json_row({name: row[name] for name in ("event_date", "session_id", "devices", "events")}) for row in shown
        ),
    )


def _rare(
    connection: psycopg.Connection, window: Window, name: str, allowed_share: float, *, is_dropped: bool
) -> CheckOutcome:
    """Hold the share of each field on each landing day against a bound."""
    counted: list[dict[str, Any]] = rows_of(
        connection, _COUNTED, {"start": window.start, "end": window.end, "is_dropped": is_dropped}
    )
    bad = [row for row in counted if row["events"] > allowed_share * row["lines_read"]]
    return CheckOutcome(
        name=name,
        passed=not bad,
        severity=Severity.WARNING,
        observed={"events": sum(int(row["events"]) for row in counted), "allowed_share": allowed_share},
        days=tuple(sorted({row["landing_date"] for row in bad})),
        sample=tuple(json_row(row) for row in bad[:SAMPLE_ROWS]),
    )
