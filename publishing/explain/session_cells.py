"""Explained cells of sessions and of marts by channel: their rows are events, sessions and days."""

from typing import Final

from publishing.explain.cells import Cells, Span, Value, growth, rate, same, total

_READS: Final = ("intermediate.int_events_sessionized",)
_NUMBERS: Final = ("events", "views", "clicks", "conversions", "revenue_cents", "engagement_time")
_EVENTS: Final = """
    select events.occurred_at, events.event_id, events.event_type, events.is_view, events.is_click,
        events.is_conversion, events.revenue_cents, events.engagement_time
    from cell
    inner join intermediate.int_events_sessionized as events
        on events.written_with_date = $1 and events.session_date = $1 and events.session_id = cell.session_id
"""
_OF_EVENTS: Final = {
    "events": Value("count(*)", "number of events of the session"),
    "views": Value("count(*)", "number of views of the session", "is_view"),
    "clicks": Value("count(*)", "number of clicks of the session", "is_click"),
    "conversions": Value("count(*)", "number of conversions of the session", "is_conversion"),
    "revenue_cents": total("revenue_cents", "the events of the session"),
    "engagement_time": total("engagement_time", "the events of the session"),
    "duration_seconds": Value(
        "extract(epoch from max(occurred_at) - min(occurred_at))", "time from the first to the last event"
    ),
}

_SESSIONS: Final = f"""
    select sessions.session_started_at, sessions.session_id, {", ".join(f"sessions.{name}" for name in _NUMBERS)},
        sessions.duration_seconds, sessions.is_engaged, sessions.visitor_id
    from cell
    inner join marts.sessions as sessions
        on sessions.metric_date = $1 and {same(("channel", "device_type", "browser", "os"), "sessions")}
"""
_OF_SESSIONS: Final = {
    "sessions": Value("count(*)", "number of sessions"),
    "engaged_sessions": Value("count(*)", "number of engaged sessions", "is_engaged"),
    "converting_sessions": Value("count(*)", "number of sessions with a conversion", "conversions > 0"),
    "unique_visitors": Value("count(distinct visitor_id)", "number of distinct visitors of the sessions"),
    **{name: total(name, "the sessions") for name in (*_NUMBERS, "duration_seconds")},
}

_MEASURES: Final = ("views", "clicks", "conversions", "revenue_cents", "engagement_time")
_DAYS: Final = f"""
    select days.metric_date, days.source, days.medium, days.campaign, days.ip_asset_id, days.project_id,
        days.license_id, {", ".join(f"days.{name}" for name in _MEASURES)}
    from cell
    inner join marts.daily_metrics_by_channel as days
        on days.metric_date between $1 and $2 and days.channel = cell.channel
"""
_DAYS_OF_WEEK: Final = "(select count(*) from ops.published_days where event_date between $1 and $2)"
_PUBLISHED: Final = """
    select event_date as metric_date, run_id
    from cell inner join ops.published_days on event_date between $1 and $2
"""
_BOTH_WEEKS: Final = f"""
    select shown.metric_date, shown.channel, {", ".join(f"shown.{name}" for name in _MEASURES)}
    from cell
    inner join marts.weekly_metrics_by_channel as shown
        on shown.metric_date in (cell.metric_date, cell.metric_date - 7) and shown.channel = cell.channel
"""


def _grown(measure: str) -> Value:
    of = f"max({measure}) filter (where metric_date {{}} $1)"
    return Value(growth(of.format("="), of.format("<")), f"({measure} - that of the week before) / the latter, in %")


def session_cells() -> list[Cells]:
    """Return the cells of sessions, and of weeks by channel."""
    return [
        Cells("sessions", _EVENTS, _OF_EVENTS, reads=_READS),
        Cells("sessions_daily", _SESSIONS, _OF_SESSIONS),
        Cells(
            "weekly_metrics_by_channel",
            _DAYS,
            {name: total(name, "the days of the week") for name in _MEASURES}
            | {
                "avg_daily_revenue_cents": Value(
                    rate("sum(revenue_cents)", _DAYS_OF_WEEK), "sum of revenue_cents / number of published days"
                )
            },
            Span.WEEK,
        ),
        Cells(
            "weekly_metrics_by_channel",
            _PUBLISHED,
            {"published_days": Value("count(*)", "number of published days of the week")},
            Span.WEEK,
        ),
        Cells(
            "weekly_metrics_by_channel",
            _BOTH_WEEKS,
            {
                "revenue_growth_pct" if name == "revenue_cents" else f"{name}_growth_pct": _grown(name)
                for name in _MEASURES
            },
            Span.WEEK,
        ),
    ]
