"""Conservation check of the creators' lists: the ten best assets and sources equal a recount from days."""

from typing import Final

import psycopg

from quality_checks.creators import CREATORS, LICENSED
from quality_checks.outcome import Finding, finding_of_run
from quality_checks.product import IS_THERE, latest
from quality_checks.queries import IN_PERIODS, days_to_publish, rows_of_whole_tables, uneven
from quality_checks.registry import check
from warehouse.window import Window

# Only these periods are counted: an index finds their days, and no others are read.
_RECENT: Final = """
periods as (
    select period, first_date, last_date from build.periods where period in ('today', '7d')
)
"""
_ASSET_DAYS: Final = days_to_publish(
    "creator_asset_days", "metric_date, creator_id, ip_asset_id, views, revenue_cents", schema="rollups"
)
_SOURCE_DAYS: Final = days_to_publish(
    "creator_source_days", "metric_date, creator_id, utm_source, visits, conversions", schema="rollups"
)


_UNEVEN_TOP_ASSETS: Final = f"""
with
{LICENSED},
{_RECENT},
days as ({_ASSET_DAYS} and metric_date {IN_PERIODS}),
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
        ) as rank
    from sums
    inner join ({latest("ip_assets")}) as assets on id = ip_asset_id and {IS_THERE}
),
both_sides as (
    select 'creator_top_assets' as mart, period, creator_id, ip_asset_id, rank, views, licenses, revenue_cents
    from ranked
    where rank <= 10
    union all
    select 'creator_top_assets', period, creator_id, ip_asset_id, -rank, -views, -licenses, -revenue_cents
    from build.creator_top_assets
    where period in (select period from periods)
)
{uneven("mart, period, creator_id, ip_asset_id", ("rank", "views", "licenses", "revenue_cents"))}
"""


_UNEVEN_SOURCES: Final = f"""
with
{CREATORS},
{_RECENT},
days as ({_SOURCE_DAYS} and metric_date {IN_PERIODS}),
ranked as (
    select
        period, creator_id, utm_source, sum(visits) as visits, sum(conversions) as conversions,
        rank() over (partition by period, creator_id order by sum(visits) desc, utm_source) as rank
    from periods inner join days on metric_date between first_date and last_date
    where creator_id in (select creator_id from creators)
    group by period, creator_id, utm_source
),
both_sides as (
    select 'creator_traffic_sources' as mart, period, creator_id, utm_source, rank, visits, conversions
    from ranked
    where rank <= 10
    union all
    select 'creator_traffic_sources', period, creator_id, utm_source, -rank, -visits, -conversions
    from build.creator_traffic_sources
    where period in (select period from periods)
)
{uneven("mart, period, creator_id, utm_source", ("rank", "visits", "conversions"))}
"""


@check(
    "build/creator_top_assets",
    reads=("creator_asset_days", "creator_source_days", "creator_traffic_sources", "periods"),
)
def creator_lists_match_daily_metrics(connection: psycopg.Connection, window: Window) -> Finding:
    """The ten best assets and sources of every creator, today and in the last 7 days, are those of a recount.

    A sample row has how much rank and numbers of the recount exceed the list.
    """
    statements = (_UNEVEN_TOP_ASSETS, _UNEVEN_SOURCES)
    found = [row for statement in statements for row in rows_of_whole_tables(connection, statement, window)]
    return finding_of_run({"wrong_rows": len(found)}, found, window)
