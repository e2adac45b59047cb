{{ config(event_time='metric_date') }}

with

periods as (

    select * from {{ ref('periods') }}

),

assets as (

    select * from {{ ref('stg_marketplace__ip_assets') }}
    where not is_deleted

),

days as (

    select * from {{ current_version('referrer_days') }}
    where {{ in_first_months('metric_date') }}

),

months as (

    select * from {{ current_version('referrer_months') }}

),

totals as (

    {{ period_sums(['ip_asset_id', 'referrer'], ['views']) }}

),

ranked as (

    select
        *,
        row_number() over (partition by period, ip_asset_id order by views desc, referrer asc) as rank
    from totals

)

select
    periods.metric_date,
    periods.period,
    assets.ip_asset_id,
    ranked.referrer,
    cast(ranked.rank as integer) as rank,
    cast(ranked.views as bigint) as views
from ranked
inner join assets
    on ranked.ip_asset_id = assets.ip_asset_id
inner join periods
    on ranked.period = periods.period
where ranked.rank <= 10
