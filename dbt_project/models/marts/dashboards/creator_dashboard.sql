{{ config(event_time='metric_date') }}

with

periods as (

    select * from {{ ref('periods') }}

),

creators as (

    select * from {{ ref('int_creators_latest') }}
    where not is_deleted

),

licenses as (

    select * from {{ ref('int_licenses_owned') }}

),

days as (

    select * from {{ published_or_built('creator_daily_metrics') }}
    where {{ in_first_months('metric_date') }}

),

months as (

    select * from {{ published_or_built('creator_asset_months') }}

),

parts as (

    select
        periods.period,
        days.creator_id,
        days.views,
        days.revenue_cents,
        0 as licenses
    from periods
    inner join days
        on {{ is_day_of_first_month('days.metric_date') }}

    union all

    select
        periods.period,
        months.creator_id,
        months.views,
        months.revenue_cents,
        0 as licenses
    from periods
    inner join months
        on {{ is_later_month('months.metric_date') }}

    union all

    select
        periods.period,
        licenses.creator_id,
        0 as views,
        0 as revenue_cents,
        1 as licenses
    from periods
    inner join licenses
        on {{ is_in_period('licenses.created_date') }}

),

totals as (

    select
        period,
        creator_id,
        sum(views) as views,
        sum(revenue_cents) as revenue_cents,
        sum(licenses) as licenses
    from parts
    group by
        period,
        creator_id

),

-- Every creator has every period, also those who own nothing.
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
