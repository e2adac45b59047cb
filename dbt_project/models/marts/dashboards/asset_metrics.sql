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

    select * from {{ published_or_built('daily_metrics') }}
    where {{ in_first_months('metric_date') }}

),

months as (

    select * from {{ published_or_built('monthly_metrics') }}

),

visitors as (

    select * from {{ ref('visitors_by_period') }}

),

parts as (

    select
        periods.period,
        days.ip_asset_id,
        days.views,
        days.clicks,
        days.conversions,
        days.revenue_cents,
        days.engagement_time
    from periods
    inner join days
        on {{ is_day_of_first_month('days.metric_date') }}

    union all

    select
        periods.period,
        months.ip_asset_id,
        months.views,
        months.clicks,
        months.conversions,
        months.revenue_cents,
        months.engagement_time
    from periods
    inner join months
        on {{ is_later_month('months.metric_date') }}

),

totals as (

    select
        period,
        ip_asset_id,
        sum(views) as views,
        sum(clicks) as clicks,
        sum(conversions) as conversions,
        sum(revenue_cents) as revenue_cents,
        sum(engagement_time) as engagement_time
    from parts
    where ip_asset_id is not null
    group by
        period,
        ip_asset_id

),

-- Every asset has every period, also where nothing happened.
complete as (

    select
        periods.metric_date,
        periods.period,
        assets.ip_asset_id,
        assets.title,
        coalesce(totals.views, 0) as views,
        coalesce(totals.clicks, 0) as clicks,
        coalesce(totals.conversions, 0) as conversions,
        coalesce(totals.revenue_cents, 0) as revenue_cents,
        coalesce(totals.engagement_time, 0) as engagement_time,
        coalesce(visitors.unique_visitors, 0) as unique_visitors
    from assets
    cross join periods
    left join totals
        on
            assets.ip_asset_id = totals.ip_asset_id
            and periods.period = totals.period
    left join visitors
        on
            assets.ip_asset_id = visitors.ip_asset_id
            and periods.period = visitors.period

)

select
    metric_date,
    period,
    ip_asset_id,
    title,
    cast(views as bigint) as total_views,
    cast(clicks as bigint) as total_clicks,
    cast(conversions as bigint) as total_conversions,
    cast(revenue_cents as bigint) as total_revenue_cents,
    unique_visitors,
    {{ rate('engagement_time', 'unique_visitors') }} as avg_engagement_time,
    {{ percentage('conversions', 'views') }} as conversion_rate,
    {{ percentage('clicks', 'views') }} as click_through_rate
from complete
