"""Conservation checks of sessions and of marts by channel: every event is counted once, and channels add up."""

from typing import Any, Final

import psycopg

from quality_checks.outcome import Finding, finding, finding_by_day
from quality_checks.queries import ADDITIVE_COLUMNS, days_to_publish, rows_of, subtracted, uneven
from quality_checks.registry import check
from warehouse.window import ONE_DAY, Window, monday_of

_NUMBERS: Final = ("events", *ADDITIVE_COLUMNS)

# The events of sessions that begin in the window, and what they count as by the registry of event types. Bots are in no
# session.
_EVENTS: Final = f"""
with
both_sides as (
    select session_date as metric_date, 1 as events, is_view::int as views, is_click::int as clicks,
        is_conversion::int as conversions, coalesce(revenue_cents, 0) as revenue_cents,
        coalesce(engagement_time, 0) as engagement_time
    from intermediate.int_events_sessionized
    where written_with_date >= %(start)s and written_with_date < %(end)s and session_date = written_with_date
        and not is_bot
    union all
    {subtracted("sessions", "metric_date", _NUMBERS)}
)
{uneven("metric_date", _NUMBERS)}
"""

# Events of browsers and apps open sessions. They are counted by the day of the event, on which no other event counts.
_IN_NO_SESSION: Final = """
with
counted as (
    select event_date as metric_date, count(*) as events
    from raw.events
    where event_date >= %(start)s and event_date < %(end)s and not is_bot and source in ('web', 'mobile')
        and num_nonnulls(actor_id, anonymous_id, session_id) > 0
    group by event_date
),
shown as (
    select event_date as metric_date, count(*) as events
    from intermediate.int_events_sessionized
    where written_with_date >= %(start)s and written_with_date < %(end)s and not is_next_day_part
        and session_id is not null and event_source in ('web', 'mobile')
    group by event_date
)
select metric_date, coalesce(counted.events, 0) as raw_events, coalesce(shown.events, 0) as events_in_sessions
from counted
full join shown using (metric_date)
where coalesce(counted.events, 0) <> coalesce(shown.events, 0)
order by metric_date
"""


@check("build/sessions", reads=["int_events_sessionized"])
def sessions_hold_every_event(connection: psycopg.Connection, window: Window) -> Finding:
    """Sessions have, by the day on which they begin, as many events, views, cents and seconds as their events.

    Of events of browsers and apps that are no bot's and name somebody, raw has as many on each day as are in sessions.
    A sample row of sums has how much the events exceed the sessions.
    """
    differences = rows_of(connection, _EVENTS, window)
    lost = rows_of(connection, _IN_NO_SESSION, window)
    observed = {"days_that_differ": len(differences), "days_with_events_in_no_session": len(lost)}
    return finding_by_day(observed, [*differences, *lost])


_KEYS: Final = "metric_date, channel, device_type, browser, os"
_OF_SESSIONS: Final = ("sessions", "engaged_sessions", "converting_sessions", *_NUMBERS, "duration_seconds")
_GROUPS: Final = f"""
with
both_sides as (
    select {_KEYS}, 1 as sessions, is_engaged::int as engaged_sessions, (conversions > 0)::int as converting_sessions,
        {", ".join(_NUMBERS)}, duration_seconds
    from build.sessions
    where metric_date >= %(start)s and metric_date < %(end)s
    union all
    {subtracted("sessions_daily", _KEYS, _OF_SESSIONS)}
)
{uneven(_KEYS, _OF_SESSIONS)}
"""


@check("build/sessions_daily", reads=("sessions",))
def sessions_daily_adds_up_sessions(connection: psycopg.Connection, window: Window) -> Finding:
    """Every group of sessions_daily equals the sum over its sessions, in every column that adds up."""
    differences = rows_of(connection, _GROUPS, window)
    return finding_by_day({"groups_that_differ": len(differences)}, differences)


_CHANNELS_OF_STEPS: Final = """
with
by_channel as (
    select metric_date, step_number, max(visitors) as most_visitors, sum(visitors) as visitors
    from build.funnel_daily_by_channel
    where metric_date >= %(start)s and metric_date < %(end)s
    group by metric_date, step_number
),
steps as (
    select metric_date, step_number, visitors from build.funnel_daily
    where metric_date >= %(start)s and metric_date < %(end)s
)
select metric_date, step_number, steps.visitors, by_channel.most_visitors,
    by_channel.visitors as visitors_of_channels
from steps
full join by_channel using (metric_date, step_number)
where not coalesce(
    steps.visitors between coalesce(by_channel.most_visitors, 0) and coalesce(by_channel.visitors, 0), false
)
order by metric_date, step_number
"""


@check("build/funnel_daily_by_channel", reads=("funnel_daily",))
def channels_fit_the_funnel(connection: psycopg.Connection, window: Window) -> Finding:
    """A step has no fewer visitors than in its largest channel, and no more than in all of its channels together."""
    differences = rows_of(connection, _CHANNELS_OF_STEPS, window)
    return finding_by_day({"steps_that_differ": len(differences)}, differences)


_WEEKS: Final = f"""
with
days as ({
    days_to_publish("daily_metrics_by_channel", f"metric_date, channel, {', '.join(ADDITIVE_COLUMNS)}")
} and metric_date >= %(first)s and metric_date < %(last)s),
both_sides as (
    select date_trunc('week', metric_date::timestamp)::date as metric_date, channel, {", ".join(ADDITIVE_COLUMNS)}
    from days
    where metric_date >= %(first)s and metric_date < %(last)s
    union all
    {
    subtracted(
        "weekly_metrics_by_channel",
        "metric_date, channel",
        ADDITIVE_COLUMNS,
        where="metric_date >= %(first)s and metric_date < %(last)s",
    )
}
)
{uneven("metric_date, channel", ADDITIVE_COLUMNS)}
"""


@check("build/weekly_metrics_by_channel", reads=("daily_metrics_by_channel",))
def channel_weeks_add_up_to_their_days(connection: psycopg.Connection, window: Window) -> Finding:
    """Weeks that the window touches, and the one after them, have in each channel the sums of their days."""
    last_day = window.end - ONE_DAY
    first, last = monday_of(window.start), monday_of(last_day) + 14 * ONE_DAY
    differences: list[dict[str, Any]] = rows_of(connection, _WEEKS, window, first=first, last=last)
    mondays = {row["metric_date"] for row in differences}
    # The next week has none of the window's days; the last of them stands for it.
    bad_days = {day if monday_of(day) in mondays else last_day for day in window.days()} if mondays else set()
    return finding({"weeks_that_differ": len(mondays)}, differences, bad_days)
