{{ config(event_time='metric_date') }}

with

periods as (

    select * from {{ ref('periods') }}

),

creators as (

    select * from {{ ref('stg_marketplace__creators') }}
    where not is_deleted

),

licenses as (

    select * from {{ ref('int_licenses_owned') }}

),

days as (

    select * from {{ current_version('creator_daily_metrics') }}
    where {{ in_first_months('metric_date') }}

),

months as (

    select * from {{ current_version('creator_asset_months') }}

),

licensed as (

    select
        periods.period,
        licenses.creator_id,
        1 as licenses
    from periods
    inner join licenses
        on {{ is_in_period('licenses.created_date') }}

),

totals as (

    {{ period_sums(['creator_id'], ['views', 'revenue_cents'], {'licensed': ['licenses']}) }}

),

-- Every creator has every period, also creators who own nothing.
complete as (

    select
        periods.metric_date,
        periods.period,
        creators.creator_id,
        creators.display_name,
        coalesce(totals.views, 0) as views,
        coalesce(totals.licenses, 0) as licenses,
        coalesce(totals.revenue_cents, 0) as revenue_cents
    from creators
    cross join periods
    left join totals
        on
            creators.creator_id = totals.creator_id
            and periods.period = totals.period

)

select
    metric_date,
    period,
    creator_id,
    display_name,
    cast(views as bigint) as total_views,
    cast(licenses as bigint) as total_licenses,
    cast(revenue_cents as bigint) as total_revenue_cents,
    {{ percentage('licenses', 'views') }} as avg_conversion_rate
from complete
