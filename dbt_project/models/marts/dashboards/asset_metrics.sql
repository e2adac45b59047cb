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

    select * from {{ current_version('daily_metrics') }}
    where {{ in_first_months('metric_date') }} and ip_asset_id is not null

),

months as (

    select * from {{ current_version('monthly_metrics') }}
    where ip_asset_id is not null

),

visitors as (

    select * from {{ ref('visitors_by_period') }}

),

totals as (

    {{ period_sums(['ip_asset_id'], ['views', 'clicks', 'conversions', 'revenue_cents', 'engagement_time']) }}

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
