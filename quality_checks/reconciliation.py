"""Conservation checks of the daily metrics: raw events and metrics agree by day and to the cent.

The SQL shares nothing with the models that it checks. Totals by day do not depend on how a license fills in an event's
asset or project, so that rule is not repeated here.
"""

from collections.abc import Mapping
from typing import Any, Final

import psycopg

from quality_checks.outcome import Finding, finding_by_day
from quality_checks.queries import ADDITIVE_COLUMNS, rows_of, subtracted, sums_of
from quality_checks.registry import check
from warehouse.window import Window

_SIDES: Final = ", ".join(
    f"coalesce({side}_days.{column}, 0) as {side}_{column}" for side in ("raw", "built") for column in ADDITIVE_COLUMNS
)
_COUNTS: Final = ("events", "bots", "outside_events", "counted_events", "groups")
# One row per event day with an event on the raw side or a group on the built side.
_DAYS: Final = f"""
with
raw_days as (
    select
        event_date as metric_date,
        count(*) as events,
        count(*) filter (where is_bot) as bots,
        count(*) filter (where not is_bot and not is_counted) as outside_events,
        count(*) filter (where is_counted) as counted_events,
        count(*) filter (where is_counted and has_visitor) as visits,
        count(*) filter (where is_counted and is_view) as views,
        count(*) filter (where is_counted and is_click) as clicks,
        count(*) filter (where is_counted and is_conversion) as conversions,
        sum(revenue_cents) filter (where is_counted) as revenue_cents,
        sum(engagement_time) filter (where is_counted) as engagement_time
    from (
        select
            event_date, is_bot, revenue_cents, engagement_time,
            not is_bot and num_nonnulls(ip_asset_id, project_id, license_id) > 0 as is_counted,
            num_nonnulls(actor_id, anonymous_id, session_id) > 0 as has_visitor,
            event_type in (select event_type from staging.event_types where is_view) as is_view,
            event_type in (select event_type from staging.event_types where is_click) as is_click,
            event_type in (select event_type from staging.event_types where is_conversion) as is_conversion
        from raw.events
        where event_date >= %(start)s and event_date < %(end)s
    ) as events
    group by event_date
),
built_days as (
    select
        metric_date,
        count(*) as groups,
        {sums_of(("unique_visitors", *ADDITIVE_COLUMNS))}
    from build.daily_metrics
    where metric_date >= %(start)s and metric_date < %(end)s
    group by metric_date
)
select
    metric_date,
    {", ".join(f"coalesce({count}, 0) as {count}" for count in (*_COUNTS, "visits", "unique_visitors"))},
    {_SIDES}
from raw_days
full join built_days using (metric_date)
order by metric_date
"""


@check("build/daily_metrics")
def daily_metrics_match_raw_events(connection: psycopg.Connection, window: Window) -> Finding:
    """Every additive column of the daily metrics equals, on every day, the sum over raw events.

    Events count that are no bot's and name an asset, a project or a license; `observed` has bots and the other events
    apart. A day has groups exactly when it has such events, and no more groups than events. Revenue is compared in
    cents, engagement time in thousandths of a second.
    """
    days = rows_of(connection, _DAYS, window)
    differences: list[dict[str, Any]] = []
    for day in days:
        for column in ADDITIVE_COLUMNS:
            raw, built = day[f"raw_{column}"], day[f"built_{column}"]
            differences += [_difference(day, column, raw, built)] if raw != built else []
        if not min(day["counted_events"], 1) <= day["groups"] <= day["counted_events"]:
            differences.append(_difference(day, "groups", day["counted_events"], day["groups"]))
    totals = {name: sum(day[name] for day in days) for name in _COUNTS}
    for column in ADDITIVE_COLUMNS:
        for side in ("raw", "built"):
            totals[f"{side}_{column}"] = sum(day[f"{side}_{column}"] for day in days)
    return finding_by_day(totals, differences)


@check("build/daily_metrics")
def unique_visitors_stay_within_events(connection: psycopg.Connection, window: Window) -> Finding:
    """A day with counted events of visitors has at least one unique visitor, and no more than such events.

    Visitors are added over the day's groups: an event belongs to one group. An event without actor, device and session
    has no visitor and is left out on both sides.
    """
    days = rows_of(connection, _DAYS, window)
    differences = [
        _difference(day, "unique_visitors", day["visits"], day["unique_visitors"])
        for day in days
        if not min(day["visits"], 1) <= day["unique_visitors"] <= day["visits"]
    ]
    totals = {name: sum(day[name] for day in days) for name in ("visits", "unique_visitors")}
    return finding_by_day(totals, differences)


def _difference(day: Mapping[str, Any], column: str, raw: Any, built: Any) -> dict[str, Any]:
    return {"metric_date": day["metric_date"], "column": column, "raw": raw, "built": built}


_GROUP: Final = "metric_date, project_id, ip_asset_id, license_id"
# Groups that differ from the sum of their channels, the first few of each day. One side is added and the other
# subtracted: a join would not take nulls as equal and would lose groups.
_GROUPS: Final = f"""
with
both_sides as (
    select
        {_GROUP},
        1 as daily_rows, 0 as channel_rows, unique_visitors as daily_visitors, null as channel_visitors,
        views, clicks, conversions, revenue_cents, engagement_time
    from build.daily_metrics
    where metric_date >= %(start)s and metric_date < %(end)s
    union all
    {subtracted("daily_metrics_by_channel", f"{_GROUP}, 0, 1, null, unique_visitors", ADDITIVE_COLUMNS)}
),
groups as (
    select
        {_GROUP},
        sum(daily_rows) as daily_rows,
        sum(channel_rows) as channel_rows,
        {sums_of(ADDITIVE_COLUMNS)},
        coalesce(
            max(daily_visitors) between max(channel_visitors) and sum(channel_visitors), false
        ) as has_possible_visitors
    from both_sides
    group by {_GROUP}
)
select *
from (
    select
        groups.*,
        count(*) over (partition by metric_date) as wrong_groups,
        row_number() over (partition by metric_date order by project_id, ip_asset_id, license_id) as place
    from groups
    where daily_rows <> 1
        or channel_rows < 1
        or not has_possible_visitors
        or ({", ".join(ADDITIVE_COLUMNS)}) is distinct from (0, 0, 0, 0, 0)
) as wrong
where place <= %(groups_shown)s
order by metric_date, place
"""

# Groups shown for each bad day.
_GROUPS_SHOWN: Final = 3


@check("build/daily_metrics_by_channel", reads=("daily_metrics",))
def channels_add_up_to_daily_metrics(connection: psycopg.Connection, window: Window) -> Finding:
    """The daily metrics by channel, added over the channel keys, equal the daily metrics in every group and column.

    Both sides have the same groups, where null ids are equal. Visitors do not add up, but a group has no fewer than its
    largest channel and no more than the sum of its channels. A sample row has, per column, how much the daily metrics
    exceed their channels.
    """
    shown = rows_of(connection, _GROUPS, window, groups_shown=_GROUPS_SHOWN)
    wrong_groups = sum(row["wrong_groups"] for row in shown if row.pop("place") == 1)
    return finding_by_day({"wrong_groups": wrong_groups}, shown)
