"""Explained cells of daily marts that count events: their rows are events, with landing file and line."""

from typing import Final

from publishing.explain.cells import Cells, Value, same, total

_READS: Final = ("raw.events", "intermediate.int_events_sessionized")
_SOURCE: Final = "source.file, source.line_number, source.line_position, source.load_id"
# Where an event was read from. `events` has its day and id.
_WITH_SOURCE: Final = """
    left join (
        select raw_events.event_id, raw_events.load_id, loads.file, raw_events.line_number, raw_events.line_position
        from raw.events as raw_events
        left join ops.loads as loads using (load_id)
        where raw_events.event_date = $1
    ) as source on source.event_id = events.event_id
"""
# Reconciliation counts the events that name none of the three.
NAMED: Final = "coalesce(events.ip_asset_id, events.project_id, events.license_id) is not null"
_OF_CREATOR: Final = """events.ip_asset_id in (
    select owned.ip_asset_id from rollups.creator_asset_days as owned
    where owned.metric_date = $1 and owned.creator_id = cell.creator_id
)"""
_ENTITY: Final = ("project_id", "ip_asset_id", "license_id")
_ORIGIN: Final = ("channel", "source", "medium", "campaign")


def event_rows(condition: str) -> str:
    """Return the query of a day's events that are no bot's."""
    return f"""
        select
            events.occurred_at, events.event_id, events.event_type, events.project_id, events.ip_asset_id,
            events.license_id, events.is_view, events.is_click, events.is_conversion, events.revenue_cents,
            events.engagement_time, events.visitor_id, {_SOURCE}
        from cell
        inner join intermediate.int_events_attributed as events
            on events.event_date = $1 and not events.is_bot and {condition}
        {_WITH_SOURCE}
    """


def _visitor_rows(condition: str) -> str:
    def of_first_event(column: str) -> str:
        return f"(array_agg({column} order by occurred_at, event_id))[1] as {column}"

    places = ", ".join(map(of_first_event, ("event_id", "file", "line_number", "line_position", "load_id")))
    return f"""
        select min(occurred_at) as first_event_at, {places}, count(*) as events, visitor_id
        from ({event_rows(condition)}) as events
        where visitor_id is not null
        group by visitor_id
    """


def _counted(kind: str, words: str) -> Value:
    return Value("count(*)", f"number of {words}", kind)


ADDITIVE: Final = {
    "views": _counted("is_view", "views"),
    "clicks": _counted("is_click", "clicks"),
    "conversions": _counted("is_conversion", "conversions"),
    "revenue_cents": total("revenue_cents", "the events"),
}
_ENGAGEMENT: Final = {"engagement_time": total("engagement_time", "the events")}
_VISITORS: Final = {"unique_visitors": Value("count(*)", "number of distinct visitors of the events")}


def _cells(mart: str, condition: str, *columns: str) -> Cells:
    values = {column: ADDITIVE[column] for column in columns or ADDITIVE}
    return Cells(mart, event_rows(condition), values, reads=_READS)


def _metrics(mart: str, keys: tuple[str, ...]) -> list[Cells]:
    condition = f"{NAMED} and {same(keys, 'events')}"
    return [
        Cells(mart, event_rows(condition), ADDITIVE | _ENGAGEMENT, reads=_READS),
        Cells(mart, _visitor_rows(condition), _VISITORS, reads=_READS),
    ]


# An event of each step, in their order, on one asset and by one visitor; the first at most so long before the last.
# Events of one moment are in the order of their ids.
def _chain(steps: int, hours: int) -> str:
    before = [f"step_{number}" for number in range(1, steps)]
    joined = [
        f"{name}.visitor_id = events.visitor_id and {name}.ip_asset_id = events.ip_asset_id"
        f" and {name}.step_number = {number}"
        f" and ({name}.occurred_at, {name}.event_id) < ({after}.occurred_at, {after}.event_id)"
        for number, (name, after) in enumerate(zip(before, [*before[1:], "events"], strict=True), 1)
    ]
    tables = ", ".join(f"intermediate.int_funnel_events as {name}" for name in before)
    return (
        f"(events.step_number = {steps} and exists (select from {tables} where {' and '.join(joined)}"
        f" and step_1.occurred_at >= events.occurred_at - interval '{hours}' hour))"
    )


def _funnel(lookback_days: int) -> list[Cells]:
    reached = " or ".join(["events.step_number = 1", *(_chain(steps, lookback_days * 24) for steps in (2, 3, 4))])
    rows = f"""
        select events.occurred_at, events.event_id, events.ip_asset_id, events.visitor_id, {_SOURCE}
        from cell
        inner join intermediate.int_funnel_events as events
            on events.event_date = $1 and events.step_number = cell.step_number and {{of_cell}} ({reached})
        {_WITH_SOURCE}
    """
    words = (
        "number of distinct visitors of the events that reach the step, after the earlier steps on the same asset in"
        f" the {lookback_days} days before"
    )
    values = {"visitors": Value("count(distinct visitor_id)", words)}
    reads = ("raw.events", "intermediate.int_funnel_events")
    return [
        Cells("funnel_daily", rows.format(of_cell=""), values, reads=reads),
        Cells("funnel_daily_by_channel", rows.format(of_cell="events.channel = cell.channel and"), values, reads=reads),
    ]


def event_cells(*, funnel_lookback_days: int) -> list[Cells]:
    """Return the cells of daily marts that count events."""
    return [
        *_metrics("daily_metrics", _ENTITY),
        *_metrics("daily_metrics_by_channel", (*_ENTITY, *_ORIGIN)),
        _cells("platform_daily_metrics", NAMED),
        _cells("platform_revenue_timeline", NAMED, "revenue_cents"),
        _cells("creator_daily_metrics", _OF_CREATOR),
        _cells("creator_revenue_timeline", _OF_CREATOR, "revenue_cents"),
        *_funnel(funnel_lookback_days),
    ]
