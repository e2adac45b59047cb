"""The functions `asset_metrics` over a range of days: totals, days and referrers of an asset.

They run with the rights of the owner, since distinct visitors are counted over rollups.visitor_asset_days, which
readers may not read; publishing/metric_functions/asset_access.py restricts them to what the caller may see.
"""

from typing import Final

from publishing.metric_functions.declarations import DEFINER, MetricFunction, body
from warehouse.roles.readers import ALL_READERS

RANGE: Final = 'asset_id text, start date, "end" date, skip_unpublished boolean default false'
_SCOPE: Final = 'access.asset_scope(asset_id, start, "end", skip_unpublished)'

TOTALS: Final = (
    "returns table (title text, total_views bigint, total_clicks bigint, total_conversions bigint,"
    " total_revenue_cents bigint, unique_visitors bigint, avg_engagement_time numeric, conversion_rate numeric,"
    " click_through_rate numeric)"
)
BY_DAY: Final = (
    "returns table (metric_date date, views bigint, clicks bigint, conversions bigint, revenue_cents bigint,"
    " unique_visitors bigint, engagement_time numeric)"
)
TOP_REFERRERS: Final = "returns table (rank integer, referrer text, views bigint)"

# Quotients are those of macros rates of the dbt project. Visitors of sealed days are gone from visitors_from on.
_TOTALS: Final = f"""
#variable_conflict use_column
declare
    scope record;
    sums record;
    visitors bigint;
begin
    select * into scope from {_SCOPE};
    select
        coalesce(sum(days.views), 0) as views, coalesce(sum(days.clicks), 0) as clicks,
        coalesce(sum(days.conversions), 0) as conversions, coalesce(sum(days.revenue_cents), 0) as revenue_cents,
        coalesce(sum(days.engagement_time), 0) as engagement_time,
        coalesce(bool_or(days.metric_date < scope.visitors_from and days.unique_visitors > 0), false) as are_gone
    into sums
    from marts.daily_metrics as days
    where days.ip_asset_id = asset_id and days.metric_date >= start and days.metric_date < "end"
        and days.metric_date = any(scope.counted_days);
    if not sums.are_gone then
        select count(*) into visitors
        from (
            select distinct seen.visitor_id
            from rollups.visitor_asset_days as seen
            where seen.metric_date = any(scope.counted_days) and seen.ip_asset_id = asset_id
        ) as distinct_visitors;
    end if;
    return query
    select
        scope.asset_title, sums.views::bigint, sums.clicks::bigint, sums.conversions::bigint,
        sums.revenue_cents::bigint, visitors,
        case when not sums.are_gone then {{engagement}} end, {{conversion_rate}}, {{click_through_rate}};
end
"""

_BY_DAY: Final = f"""
#variable_conflict use_column
declare
    scope record;
begin
    select * into scope from {_SCOPE};
    return query
    with
    sums as (
        select
            days.metric_date, sum(days.views) as views, sum(days.clicks) as clicks,
            sum(days.conversions) as conversions, sum(days.revenue_cents) as revenue_cents,
            sum(days.engagement_time) as engagement_time,
            days.metric_date < scope.visitors_from and sum(days.unique_visitors) > 0 as are_gone
        from marts.daily_metrics as days
        where days.ip_asset_id = asset_id and days.metric_date >= start and days.metric_date < "end"
            and days.metric_date = any(scope.counted_days)
        group by days.metric_date
    ),
    visitors as (
        select seen.metric_date, count(*) as visitors
        from (
            select distinct asset_days.metric_date, asset_days.visitor_id
            from rollups.visitor_asset_days as asset_days
            where asset_days.metric_date = any(scope.counted_days) and asset_days.ip_asset_id = asset_id
        ) as seen
        group by seen.metric_date
    )
    select
        calendar.day, coalesce(sums.views, 0)::bigint, coalesce(sums.clicks, 0)::bigint,
        coalesce(sums.conversions, 0)::bigint, coalesce(sums.revenue_cents, 0)::bigint,
        case when sums.are_gone then null else coalesce(visitors.visitors, 0) end,
        coalesce(sums.engagement_time, 0)::numeric(38, 3)
    from unnest(scope.shown_days) as calendar(day)
    left join sums on sums.metric_date = calendar.day
    left join visitors on visitors.metric_date = calendar.day
    order by calendar.day;
end
"""

_TOP_REFERRERS: Final = f"""
#variable_conflict use_column
declare
    scope record;
begin
    select * into scope from {_SCOPE};
    return query
    select
        row_number() over (order by sum(days.views) desc, days.referrer)::integer, days.referrer,
        sum(days.views)::bigint
    from rollups.referrer_days as days
    where days.metric_date = any(scope.counted_days) and days.ip_asset_id = asset_id
    group by days.referrer
    order by sum(days.views) desc, days.referrer
    limit 10;
end
"""

_ANSWER: Final = f"""
declare
    scope record;
    totals jsonb;
    by_day jsonb;
begin
    select * into scope from {_SCOPE};
    select to_jsonb(part) - 'title' into totals
    from marts.asset_metrics_totals(asset_id, start, "end", skip_unpublished) as part;
    select coalesce(jsonb_agg(to_jsonb(part) order by part.metric_date), '[]') into by_day
    from marts.asset_metrics_by_day(asset_id, start, "end", skip_unpublished) as part;
    return jsonb_build_object(
        'ip_asset_id', asset_id, 'title', scope.asset_title, 'period', null, 'start', start, 'end', "end",
        'totals', totals,
        'top_referrers', (
            select coalesce(jsonb_agg(to_jsonb(part) order by part.rank), '[]')
            from marts.asset_metrics_top_referrers(asset_id, start, "end", skip_unpublished) as part
        ),
        'by_day', by_day,
        'notes', to_jsonb(array_remove(
            array[
                case when scope.days_missing > 0 then format(
                    'days that are not published, and count as nothing: %s', scope.days_missing
                ) end,
                case when cardinality(scope.shown_days) < scope.days_published then format(
                    '%s of %s published days count: those on which the asset is shared by or licensed to the caller',
                    cardinality(scope.shown_days), scope.days_published
                ) end,
                case when jsonb_path_exists(by_day, '$[*].unique_visitors ? (@ == null)') then format(
                    'unique_visitors is null where it needs visitors of days before %s, which are sealed and no longer'
                    ' kept', to_char(scope.visitors_from, 'YYYY-MM-DD')
                ) end
            ],
            null
        ))
    );
end
"""


def _rate(numerator: str, denominator: str) -> str:
    return f"coalesce(round(cast({numerator} as numeric(38, 16)) / nullif({denominator}, 0), 4), 0)::numeric(38, 4)"


def _totals() -> str:
    return _TOTALS.format(
        engagement=_rate("sums.engagement_time", "visitors"),
        conversion_rate=_rate("100 * sums.conversions", "sums.views"),
        click_through_rate=_rate("100 * sums.clicks", "sums.views"),
    )


ASSET_FUNCTIONS: Final = (
    MetricFunction(
        "marts.asset_metrics_totals",
        RANGE,
        body(TOTALS, f"{DEFINER} rows 1", _totals()),
        "Totals of an asset over the days from start until before end; visitors are counted over the range."
        " SQLSTATE WH001: no such range, or a day is not published; WH002: no such asset.",
        ALL_READERS,
    ),
    MetricFunction(
        "marts.asset_metrics_by_day",
        RANGE,
        body(BY_DAY, f"{DEFINER} rows 30", _BY_DAY),
        "Numbers of an asset by day, days without events too. Errors as asset_metrics_totals.",
        ALL_READERS,
    ),
    MetricFunction(
        "marts.asset_metrics_top_referrers",
        RANGE,
        body(TOP_REFERRERS, f"{DEFINER} rows 10", _TOP_REFERRERS),
        "The ten hosts that brought most views of an asset; direct where none is known. Errors as"
        " asset_metrics_totals.",
        ALL_READERS,
    ),
    MetricFunction(
        "marts.asset_metrics",
        RANGE,
        body("returns jsonb", DEFINER, _ANSWER),
        "Totals, days and top referrers of an asset over the days from start until before end, with notes on what is"
        " missing. Errors as asset_metrics_totals.",
        ALL_READERS,
    ),
)
