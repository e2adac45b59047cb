"""Conservation checks of the creators' marts, by SQL that shares nothing with the models that it checks.

Creators have the numbers of their assets on the days on which they own them. Periods and lists add up their days. An
asset counts in full for each of its owners, so the sum over creators counts an asset once for each owner.
"""

from typing import Final

import psycopg

from quality_checks.outcome import Finding, finding_by_day, finding_of_run
from quality_checks.period_sums import PeriodMart, uneven_periods
from quality_checks.product import ASSET_DAYS, IS_THERE, SHARES, latest
from quality_checks.queries import EXCESS, HAS_EXCESS, IN_PERIODS, rows_of_whole_tables
from quality_checks.registry import check
from warehouse.window import Window

# Both sides of every creator, day and asset. One side is added and the other subtracted: a join would lose rows.
_UNEVEN_DAYS: Final = f"""
with
assets as ({ASSET_DAYS}),
shares as ({SHARES}),
owned as (
    select assets.*, creator_id
    from assets inner join shares on shares.ip_asset_id = assets.ip_asset_id and held_days @> metric_date
),
both_sides as (
    select
        'creator_asset_days' as mart, metric_date, creator_id, ip_asset_id, 1 as due, 0 as shown,
        views, clicks, conversions, revenue_cents
    from owned
    union all
    select
        'creator_asset_days', metric_date, creator_id, ip_asset_id, 0, 1,
        -views, -clicks, -conversions, -revenue_cents
    from build.creator_asset_days
    where metric_date >= %(start)s and metric_date < %(end)s
    union all
    select
        'creator_daily_metrics', metric_date, creator_id, null, 1, 0,
        sum(views), sum(clicks), sum(conversions), sum(revenue_cents)
    from owned
    group by metric_date, creator_id
    union all
    select
        'creator_daily_metrics', metric_date, creator_id, null, 0, 1,
        -views, -clicks, -conversions, -revenue_cents
    from build.creator_daily_metrics
    where metric_date >= %(start)s and metric_date < %(end)s
    union all
    -- Sources are of sessions, and split nothing but the conversions; a creator without visits has none.
    select 'creator_source_days', metric_date, creator_id, null, 0, 0, 0, 0, sum(conversions), 0
    from owned
    group by metric_date, creator_id
    union all
    select 'creator_source_days', metric_date, creator_id, null, 0, 0, 0, 0, -conversions, 0
    from build.creator_source_days
    where metric_date >= %(start)s and metric_date < %(end)s
)
select
    metric_date, mart, creator_id, ip_asset_id,
    {EXCESS}
from both_sides
group by metric_date, mart, creator_id, ip_asset_id
having {HAS_EXCESS}
order by metric_date, mart, creator_id, ip_asset_id
"""


@check("build/creator_daily_metrics")
def creator_metrics_match_owned_assets(connection: psycopg.Connection, window: Window) -> Finding:
    """On every day, creators have exactly the numbers of daily_metrics for the assets that they own on the day.

    Views, clicks, conversions and cents are compared, by asset and added up, and the conversions of traffic sources.
    Owners are those of the product's shares as they are now. A sample row has how much the assets exceed the creator.
    """
    found = rows_of_whole_tables(connection, _UNEVEN_DAYS, {"start": window.start, "end": window.end})
    return finding_by_day({"wrong_rows": len(found)}, found)


# The creators that have periods, and the licenses created on their assets, by day.
_CREATORS: Final = f"""
creators as (
    select id as creator_id from ({latest("creators")}) as rows_now where {IS_THERE}
)
"""
_LICENSED: Final = f"""
{_CREATORS},
shares as ({SHARES}),
licensed as (
    select creator_id, created.ip_asset_id, created_date, count(*) as licenses
    from (
        select ip_asset_id, (created_at at time zone 'utc')::date as created_date
        from ({latest("licenses")}) as rows_now
        where not is_removed
    ) as created
    inner join shares on shares.ip_asset_id = created.ip_asset_id and held_days @> created_date
    group by creator_id, created.ip_asset_id, created_date
)
"""

_UNEVEN_LICENSES: Final = f"""
with
{_LICENSED},
both_sides as (
    select period, creator_id, 1 as due, 0 as shown, 0 as licenses
    from creators cross join build.periods
    union all
    select period, creator_id, 0, 0, licenses
    from licensed inner join build.periods on created_date between coalesce(first_date, '-infinity') and last_date
    where creator_id in (select creator_id from creators)
    union all
    select period, creator_id, 0, 1, -total_licenses
    from build.creator_dashboard
)
select period, creator_id, sum(due) - sum(shown) as missing_rows, sum(licenses) as total_licenses
from both_sides
group by period, creator_id
having sum(due) <> sum(shown) or sum(licenses) <> 0
order by period, creator_id
"""

_DASHBOARD: Final = PeriodMart(
    name="creator_dashboard",
    days="creator_daily_metrics",
    published_schema="marts",
    keys=("creator_id",),
    numbers={"total_views": "views", "total_revenue_cents": "revenue_cents"},
)


@check("build/creator_dashboard")
def creator_periods_add_up(connection: psycopg.Connection, window: Window) -> Finding:
    """Every creator that is not deleted has every period, with the sums of its days and the licenses of the product.

    Views, cents and licenses are compared. A sample row has how much the days, or the product's tables, exceed the
    period.
    """
    found = [*uneven_periods(connection, window, _DASHBOARD), *rows_of_whole_tables(connection, _UNEVEN_LICENSES, {})]
    return finding_of_run({"wrong_periods": len(found)}, found, window)


# Only these periods are counted: an index finds their days, and no others are read.
_RECENT: Final = """
periods as (
    select period, first_date, last_date from build.periods where period in ('today', '7d')
)
"""
_UNEVEN_TOP_ASSETS: Final = f"""
with
{_LICENSED},
{_RECENT},
days as (
    select metric_date, creator_id, ip_asset_id, views, revenue_cents
    from build.creator_asset_days
    where metric_date >= %(start)s and metric_date < %(end)s
    union all
    select metric_date, creator_id, ip_asset_id, views, revenue_cents
    from published.creator_asset_days
    where (metric_date < %(start)s or metric_date >= %(end)s) and metric_date {IN_PERIODS}
),
parts as (
    select period, creator_id, ip_asset_id, views, 0 as licenses, revenue_cents
    from periods inner join days on metric_date between first_date and last_date
    union all
    select period, creator_id, ip_asset_id, 0, licenses, 0
    from periods
    inner join (select * from licensed where created_date {IN_PERIODS}) as licensed
        on created_date between coalesce(first_date, '-infinity') and last_date
    union all
    -- An owned asset is in the list even when nothing happened to it.
    select period, creator_id, ip_asset_id, 0, 0, 0
    from periods inner join shares on held_days && daterange(first_date, last_date + 1)
),
sums as (
    select
        period, creator_id, ip_asset_id,
        sum(views) as views, sum(licenses) as licenses, sum(revenue_cents) as revenue_cents
    from parts
    where creator_id in (select creator_id from creators)
    group by period, creator_id, ip_asset_id
),
ranked as (
    select
        sums.*,
        rank() over (
            partition by period, creator_id order by revenue_cents desc, coalesce(title, ''), ip_asset_id
        ) as place
    from sums
    inner join ({latest("ip_assets")}) as assets on id = ip_asset_id and {IS_THERE}
),
both_sides as (
    select period, creator_id, ip_asset_id, place, views, licenses, revenue_cents
    from ranked
    where place <= 10
    union all
    select period, creator_id, ip_asset_id, -place, -views, -licenses, -revenue_cents
    from build.creator_top_assets
    where period in (select period from periods)
)
select
    'creator_top_assets' as mart, period, creator_id, ip_asset_id,
    sum(place) as place, sum(views) as views, sum(licenses) as licenses, sum(revenue_cents) as revenue_cents
from both_sides
group by period, creator_id, ip_asset_id
having sum(place) <> 0 or sum(views) <> 0 or sum(licenses) <> 0 or sum(revenue_cents) <> 0
order by period, creator_id, ip_asset_id
"""

_UNEVEN_SOURCES: Final = f"""
with
{_CREATORS},
{_RECENT},
days as (
    select metric_date, creator_id, utm_source, visits, conversions
    from build.creator_source_days
    where metric_date >= %(start)s and metric_date < %(end)s
    union all
    select metric_date, creator_id, utm_source, visits, conversions
    from published.creator_source_days
    where (metric_date < %(start)s or metric_date >= %(end)s) and metric_date {IN_PERIODS}
),
ranked as (
    select
        period, creator_id, utm_source, sum(visits) as visits, sum(conversions) as conversions,
        rank() over (partition by period, creator_id order by sum(visits) desc, utm_source) as place
    from periods inner join days on metric_date between first_date and last_date
    where creator_id in (select creator_id from creators)
    group by period, creator_id, utm_source
),
both_sides as (
    select period, creator_id, utm_source, place, visits, conversions
    from ranked
    where place <= 10
    union all
    select period, creator_id, utm_source, -place, -visits, -conversions
    from build.creator_traffic_sources
    where period in (select period from periods)
)
select
    'creator_traffic_sources' as mart, period, creator_id, utm_source,
    sum(place) as place, sum(visits) as visits, sum(conversions) as conversions
from both_sides
group by period, creator_id, utm_source
having sum(place) <> 0 or sum(visits) <> 0 or sum(conversions) <> 0
order by period, creator_id, utm_source
"""


@check("build/creator_top_assets")
def creator_lists_match_daily_metrics(connection: psycopg.Connection, window: Window) -> Finding:
    """The ten best assets and sources of every creator, today and in the last 7 days, are those of a recount.

    A sample row has how much place and numbers of the recount exceed the list.
    """
    dates = {"start": window.start, "end": window.end}
    found = [
        *rows_of_whole_tables(connection, _UNEVEN_TOP_ASSETS, dates),
        *rows_of_whole_tables(connection, _UNEVEN_SOURCES, dates),
    ]
    return finding_of_run({"wrong_rows": len(found)}, found, window)
