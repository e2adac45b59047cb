{{ config(event_time='metric_date') }}

with

periods as (

    select * from {{ ref('periods') }}

),

brands as (

    select * from {{ ref('stg_marketplace__brands') }}
    where not is_deleted

),

projects as (

    select * from {{ ref('stg_marketplace__projects') }}
    where not is_deleted

),

campaigns as (

    select * from {{ ref('int_campaigns') }}

),

spend as (

    select * from {{ ref('int_license_spend') }}

),

days as (

    select * from {{ current_version('brand_asset_days') }}
    where {{ in_first_months('metric_date') }}

),

months as (

    select * from {{ current_version('brand_asset_months') }}

),

-- Every campaign has every period, also where nothing happened.
campaign_periods as (

    select
        periods.period,
        campaigns.brand_id,
        campaigns.project_id
    from campaigns
    cross join periods

),

spent as (

    select
        periods.period,
        spend.brand_id,
        spend.project_id,
        spend.spend_cents
    from periods
    inner join spend
        on {{ is_in_period('spend.spend_date') }}

),

totals as (

    {{ period_sums(
        ['brand_id', 'project_id'],
        ['views', 'clicks', 'conversions', 'revenue_cents'],
        {'campaign_periods': [], 'spent': ['spend_cents']},
    ) }}

)

select
    periods.metric_date,
    periods.period,
    totals.brand_id,
    totals.project_id,
    projects.project_name,
    cast(totals.spend_cents as bigint) as total_spend_cents,
    cast(totals.views as bigint) as total_impressions,
    cast(totals.clicks as bigint) as total_clicks,
    cast(totals.conversions as bigint) as total_conversions,
    cast(totals.revenue_cents as bigint) as total_revenue_cents,
    {{ percentage('(totals.revenue_cents - totals.spend_cents)', 'totals.spend_cents') }} as roi_pct
from totals
inner join periods
    on totals.period = periods.period
inner join brands
    on totals.brand_id = brands.brand_id
left join projects
    on
        totals.brand_id = projects.brand_id
        and totals.project_id = projects.project_id
