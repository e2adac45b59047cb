"""Conservation checks of the brands' marts, by SQL that shares nothing with the models that it checks.

Campaigns have the numbers of their licensed assets within the terms and cost what their licenses cost. Their periods
add up their days.
"""

from typing import Final

import psycopg

from quality_checks.outcome import Finding, finding_by_day, finding_of_run
from quality_checks.period_sums import PeriodMart, uneven_periods
from quality_checks.product import ASSET_DAYS, IS_THERE, SPEND, TERMS, latest
from quality_checks.queries import EXCESS, NUMBERS, rows_of_whole_tables, subtracted, uneven
from quality_checks.registry import check
from warehouse.window import Window

_UNEVEN_DAYS: Final = f"""
with
assets as ({ASSET_DAYS}),
terms as ({TERMS}),
both_sides as (
    select
        metric_date, brand_id, project_id, assets.ip_asset_id,
        1 as missing_rows, views, clicks, conversions, revenue_cents
    from assets inner join terms on terms.ip_asset_id = assets.ip_asset_id and held_days @> metric_date
    union all
    {subtracted("brand_asset_days", "metric_date, brand_id, project_id, ip_asset_id", NUMBERS)}
)
{uneven("metric_date, brand_id, project_id, ip_asset_id", EXCESS)}
"""


@check("build/brand_asset_days", reads=("daily_metrics",))
def campaign_metrics_match_licensed_assets(connection: psycopg.Connection, window: Window) -> Finding:
    """On every day, campaigns have exactly the numbers of daily_metrics for the assets whose terms cover the day.

    Views, clicks, conversions and cents are compared for every brand, project and asset. The terms are those of the
    product's licenses as they are now. A sample row has how much the assets exceed the campaign.
    """
    found = rows_of_whole_tables(connection, _UNEVEN_DAYS, window)
    return finding_by_day({"wrong_rows": len(found)}, found)


# Every campaign and every licensed asset must be there, with what the campaign was charged. Further rows must cost
# nothing: they have days of a license that is no longer the brand's.
_UNEVEN_CAMPAIGNS: Final = f"""
with
brands as (
    select id as brand_id from ({latest("brands")}) as rows_now where {IS_THERE}
),
projects as (
    select brand_id, id as project_id from ({latest("projects")}) as rows_now where not is_removed
),
licenses as (
    select brand_id, project_id, ip_asset_id from ({latest("licenses")}) as rows_now where not is_removed
),
campaigns as (
    select brand_id, project_id from projects
    union
    select brand_id, project_id from licenses
    union
    select brand_id, null from brands where brand_id not in (select brand_id from projects where brand_id is not null)
),
due as (
    select 'brand_campaign_metrics' as mart, brand_id, project_id, null as ip_asset_id
    from campaigns
    union all
    select distinct 'brand_campaign_assets', brand_id, project_id, ip_asset_id
    from licenses
    where ip_asset_id in (
        select id from ({latest("ip_assets")}) as rows_now where {IS_THERE}
    )
),
rows_of_periods as (
    select
        mart, brand_id, project_id, ip_asset_id,
        (select count(*) from build.periods) as periods_due, 0 as periods_shown
    from due
    where brand_id in (select brand_id from brands)
    union all
    select 'brand_campaign_metrics', brand_id, project_id, null, 0, count(*)
    from build.brand_campaign_metrics
    group by brand_id, project_id
    union all
    select 'brand_campaign_assets', brand_id, project_id, ip_asset_id, 0, count(*)
    from build.brand_campaign_assets
    group by brand_id, project_id, ip_asset_id
),
spend as (
    select period, brand_id, project_id, spend_cents
    from ({SPEND}) as spend
    inner join build.periods on spend_date between coalesce(first_date, '-infinity') and last_date
    where brand_id in (select brand_id from brands)
    union all
    select period, brand_id, project_id, -total_spend_cents
    from build.brand_campaign_metrics
)
select
    mart, null as period, brand_id, project_id, ip_asset_id,
    sum(periods_due) - sum(periods_shown) as missing_periods, null as total_spend_cents
from rows_of_periods
group by mart, brand_id, project_id, ip_asset_id
having sum(periods_due) > sum(periods_shown)
union all
select 'brand_campaign_metrics', period, brand_id, project_id, null, 0, sum(spend_cents)
from spend
group by period, brand_id, project_id
having sum(spend_cents) <> 0
order by mart, period, brand_id, project_id, ip_asset_id
"""

_CAMPAIGNS: Final = PeriodMart(
    name="brand_campaign_metrics",
    days="brand_asset_days",
    published_schema="rollups",
    keys=("brand_id", "project_id"),
    numbers={
        "total_impressions": "views",
        "total_clicks": "clicks",
        "total_conversions": "conversions",
        "total_revenue_cents": "revenue_cents",
    },
)
_ASSETS: Final = PeriodMart(
    name="brand_campaign_assets",
    days="brand_asset_days",
    published_schema="rollups",
    keys=("brand_id", "project_id", "ip_asset_id"),
    numbers={"views": "views", "clicks": "clicks"},
)


@check("build/brand_campaign_metrics", reads=("brand_asset_days", "brand_campaign_assets", "periods"))
def campaign_periods_add_up(connection: psycopg.Connection, window: Window) -> Finding:
    """Every campaign, and every asset of it, has every period, with the sums of its days and the cost of its licenses.

    A sample row has how much the days, or the product's tables, exceed the period.
    """
    found = [
        *uneven_periods(connection, window, _CAMPAIGNS),
        *uneven_periods(connection, window, _ASSETS),
        *rows_of_whole_tables(connection, _UNEVEN_CAMPAIGNS, window),
    ]
    return finding_of_run({"wrong_periods": len(found)}, found, window)
