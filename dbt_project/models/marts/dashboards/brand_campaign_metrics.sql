{{ config(event_time='metric_date') }}

with

periods as (

    select * from {{ ref('periods') }}

),

brands as (

    select * from {{ ref('int_brands_latest') }}
    where not is_deleted

),

projects as (

    select * from {{ ref('int_projects_latest') }}
    where not is_deleted

),

licenses as (

    select * from {{ ref('int_licenses_latest') }}
    where not is_removed

),

adjustments as (

    select * from {{ ref('int_license_adjustments_latest') }}

),

days as (

    select * from {{ published_or_built('brand_asset_days') }}
    where {{ in_first_months('metric_date') }}

),

months as (

    select * from {{ published_or_built('brand_asset_months') }}

),

-- What counts as a campaign: a project, what is licensed without one, and the whole of a brand that has none.
campaigns as (

    select
        brand_id,
        project_id
    from projects

    union

    select
        brand_id,
        project_id
    from licenses

    union

    select
        brand_id,
        cast(null as text) as project_id
    from brands
    where
        not exists (
            select 1 from projects
            where projects.brand_id = brands.brand_id
        )

),

-- A fee counts on the day the license was created, what changes it on its own day.
amounts as (

    select
        brand_id,
        project_id,
        {{ utc_date('created_at') }} as spend_date,
        fee_cents as spend_cents
    from licenses

    union all

    select
        licenses.brand_id,
        licenses.project_id,
        adjustments.effective_date as spend_date,
        adjustments.amount_cents as spend_cents
    from adjustments
    inner join licenses
        on adjustments.license_id = licenses.license_id

),

-- Kinds of rows that are added up, for a join on ids that may be null is slow. Every campaign has every period, also where
-- nothing happened.
parts as (

    select
        periods.metric_date,
        periods.period,
        campaigns.brand_id,
        campaigns.project_id,
        0 as spend_cents,
        0 as views,
        0 as clicks,
        0 as conversions,
        0 as revenue_cents
    from campaigns
    cross join periods

    union all

    select
        periods.metric_date,
        periods.period,
        amounts.brand_id,
        amounts.project_id,
        amounts.spend_cents,
        0 as views,
        0 as clicks,
        0 as conversions,
        0 as revenue_cents
    from periods
    inner join amounts
        on {{ is_in_period('amounts.spend_date') }}

    union all

    select
        periods.metric_date,
        periods.period,
        days.brand_id,
        days.project_id,
        0 as spend_cents,
        days.views,
        days.clicks,
        days.conversions,
        days.revenue_cents
    from periods
    inner join days
        on {{ is_day_of_first_month('days.metric_date') }}

    union all

    select
        periods.metric_date,
        periods.period,
        months.brand_id,
        months.project_id,
        0 as spend_cents,
        months.views,
        months.clicks,
        months.conversions,
        months.revenue_cents
    from periods
    inner join months
        on {{ is_later_month('months.metric_date') }}

),

totals as (

    select
        metric_date,
        period,
        brand_id,
        project_id,
        coalesce(sum(spend_cents), 0) as spend_cents,
        sum(views) as views,
        sum(clicks) as clicks,
        sum(conversions) as conversions,
        sum(revenue_cents) as revenue_cents
    from parts
    group by
        metric_date,
        period,
        brand_id,
        project_id

)

select
    totals.metric_date,
    totals.period,
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
inner join brands
    on totals.brand_id = brands.brand_id
left join projects
    on
        totals.brand_id = projects.brand_id
        and totals.project_id = projects.project_id
