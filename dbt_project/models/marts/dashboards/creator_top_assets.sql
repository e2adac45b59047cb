{{ config(event_time='metric_date') }}

with

periods as (

    select * from {{ ref('periods') }}

),

creators as (

    select * from {{ ref('stg_marketplace__creators') }}
    where not is_deleted

),

assets as (

    select * from {{ ref('stg_marketplace__ip_assets') }}
    where not is_deleted

),

ownerships as (

    select * from {{ ref('stg_marketplace__ip_ownerships') }}

),

licenses as (

    select * from {{ ref('int_licenses_owned') }}

),

days as (

    select * from {{ current_version('creator_asset_days') }}
    where {{ in_first_months('metric_date') }}

),

months as (

    select * from {{ current_version('creator_asset_months') }}

),

-- Assets of which a creator owned a share on some day of the period, also where nothing happened.
owned as (

    select
        periods.period,
        ownerships.creator_id,
        ownerships.ip_asset_id
    from periods
    inner join ownerships
        on
            periods.last_date >= ownerships.ownership_start_date
            and (
                ownerships.ownership_end_date is null
                or ownerships.ownership_end_date > greatest(periods.first_date, ownerships.ownership_start_date)
            )

),

licensed as (

    select
        periods.period,
        licenses.creator_id,
        licenses.ip_asset_id,
        1 as licenses
    from periods
    inner join licenses
        on {{ is_in_period('licenses.created_date') }}

),

totals as (

    {{ period_sums(
        ['creator_id', 'ip_asset_id'], ['views', 'revenue_cents'], {'owned': [], 'licensed': ['licenses']}
    ) }}

),

ranked as (

    select
        totals.*,
        assets.title,
        row_number() over (
            partition by totals.period, totals.creator_id
            order by totals.revenue_cents desc, coalesce(assets.title, '') asc, totals.ip_asset_id asc
        ) as rank
    from totals
    inner join creators
        on totals.creator_id = creators.creator_id
    inner join assets
        on totals.ip_asset_id = assets.ip_asset_id

)

select
    periods.metric_date,
    periods.period,
    ranked.creator_id,
    ranked.ip_asset_id,
    ranked.title,
    cast(ranked.rank as integer) as rank,
    cast(ranked.views as bigint) as views,
    cast(ranked.licenses as bigint) as licenses,
    cast(ranked.revenue_cents as bigint) as revenue_cents
from ranked
inner join periods
    on ranked.period = periods.period
where ranked.rank <= 10
