{{ config(event_time='metric_date') }}

with

periods as (

    select * from {{ ref('periods') }}

),

assets as (

    select * from {{ ref('int_assets_latest') }}
    where not is_deleted

),

days as (

    select * from {{ published_or_built('referrer_days') }}
    where {{ in_first_months('metric_date') }}

),

months as (

    select * from {{ published_or_built('referrer_months') }}

),

parts as (

    select
        periods.period,
        days.ip_asset_id,
        days.referrer,
        days.views
    from periods
    inner join days
        on {{ is_day_of_first_month('days.metric_date') }}

    union all

    select
        periods.period,
        months.ip_asset_id,
        months.referrer,
        months.views
    from periods
    inner join months
        on {{ is_later_month('months.metric_date') }}

),

totals as (

    select
        period,
        ip_asset_id,
        referrer,
        sum(views) as views
    from parts
    group by
        period,
        ip_asset_id,
        referrer

),

ranked as (

    select
        *,
        row_number() over (partition by period, ip_asset_id order by views desc, referrer asc) as place
    from totals

)

select
    periods.metric_date,
    periods.period,
    assets.ip_asset_id,
    ranked.referrer,
    cast(ranked.place as integer) as place,
    cast(ranked.views as bigint) as views
from ranked
inner join assets
    on ranked.ip_asset_id = assets.ip_asset_id
inner join periods
    on ranked.period = periods.period
where ranked.place <= 10
