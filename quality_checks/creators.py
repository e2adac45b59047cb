"""Conservation checks of the creators' marts, by SQL that shares nothing with the models that it checks.

Creators have the numbers of their assets on the days on which they own them. Periods and lists add up their days. An
asset counts in full for each of its owners, so the sum over creators counts an asset once for each owner.
"""

from typing import Final

import psycopg

from quality_checks.outcome import Finding, finding_by_day, finding_of_run
from quality_checks.period_sums import PeriodMart, uneven_periods
from quality_checks.product import ASSET_DAYS, IS_THERE, SHARES, latest
from quality_checks.queries import EXCESS, NUMBERS, rows_of_whole_tables, subtracted, uneven
from quality_checks.registry import check
from warehouse.window import Window

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
        'creator_asset_days' as mart, metric_date, creator_id, ip_asset_id,
        1 as missing_rows, views, clicks, conversions, revenue_cents
    from owned
    union all
    {subtracted("creator_asset_days", "'creator_asset_days', metric_date, creator_id, ip_asset_id", NUMBERS)}
    union all
    select
        'creator_daily_metrics', metric_date, creator_id, null,
        1, sum(views), sum(clicks), sum(conversions), sum(revenue_cents)
    from owned
    group by metric_date, creator_id
    union all
    {subtracted("creator_daily_metrics", "'creator_daily_metrics', metric_date, creator_id, null", NUMBERS)}
    union all
    -- Sources are of sessions, and split nothing but the conversions; a creator without visits has none.
    select 'creator_source_days', metric_date, creator_id, null, 0, 0, 0, sum(conversions), 0
    from owned
    group by metric_date, creator_id
    union all
    select 'creator_source_days', metric_date, creator_id, null, 0, 0, 0, -conversions, 0
    from build.creator_source_days
    where metric_date >= %(start)s and metric_date < %(end)s
)
{uneven("metric_date, mart, creator_id, ip_asset_id", EXCESS)}
"""


@check("build/creator_daily_metrics", reads=("creator_asset_days", "creator_source_days", "daily_metrics"))
def creator_metrics_match_owned_assets(connection: psycopg.Connection, window: Window) -> Finding:
    """On every day, creators have exactly the numbers of daily_metrics for the assets that they own on the day.

    Views, clicks, conversions and cents are compared, by asset and added up, and the conversions of traffic sources.
    Owners are those of the product's shares as they are now. A sample row has how much the assets exceed the creator.
    """
    found = rows_of_whole_tables(connection, _UNEVEN_DAYS, window)
    return finding_by_day({"wrong_rows": len(found)}, found)


# The creators that have periods, and the licenses created on their assets, by day.
CREATORS: Final = f"""
creators as (
    select id as creator_id from ({latest("creators")}) as rows_now where {IS_THERE}
)
"""
LICENSED: Final = f"""
{CREATORS},
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
{LICENSED},
both_sides as (
    select period, creator_id, 1 as missing_rows, 0 as total_licenses
    from creators cross join build.periods
    union all
    select period, creator_id, 0, licenses
    from licensed inner join build.periods on created_date between coalesce(first_date, '-infinity') and last_date
    where creator_id in (select creator_id from creators)
    union all
    select period, creator_id, -1, -total_licenses
    from build.creator_dashboard
)
{uneven("period, creator_id", ("missing_rows", "total_licenses"))}
"""

_DASHBOARD: Final = PeriodMart(
    name="creator_dashboard",
    days="creator_daily_metrics",
    published_schema="marts",
    keys=("creator_id",),
    numbers={"total_views": "views", "total_revenue_cents": "revenue_cents"},
)


@check("build/creator_dashboard", reads=("creator_daily_metrics", "periods"))
def creator_periods_add_up(connection: psycopg.Connection, window: Window) -> Finding:
    """Every creator that is not deleted has every period, with the sums of its days and the licenses of the product.

    Views, cents and licenses are compared. A sample row has how much the days, or the product's tables, exceed the
    period.
    """
    found = uneven_periods(connection, window, _DASHBOARD) + rows_of_whole_tables(connection, _UNEVEN_LICENSES, window)
    return finding_of_run({"wrong_periods": len(found)}, found, window)
