{{ config(event_time='metric_date') }}

with

periods as (

    select * from {{ ref('periods') }}

),

brands as (

    select * from {{ ref('int_brands_latest') }}
    where not is_deleted

),

assets as (

    select * from {{ ref('int_assets_latest') }}
    where not is_deleted

),

licenses as (

    select * from {{ ref('int_licenses_latest') }}
    where not is_removed

),

days as (

    select * from {{ published_or_built('brand_asset_days') }}
    where {{ in_first_months('metric_date') }}

),

months as (

    select * from {{ published_or_built('brand_asset_months') }}

),

licensed as (

    select distinct
        brand_id,
        project_id,
        ip_asset_id
    from licenses

),

-- Kinds of rows that are added up, for a join on ids that may be null is slow. Every asset has every period, also where
-- nothing happened.
parts as (

    select
        periods.metric_date,
        periods.period,
        licensed.brand_id,
        licensed.project_id,
        licensed.ip_asset_id,
        0 as views,
        0 as clicks
    from licensed
    cross join periods

    union all

    select
        periods.metric_date,
        periods.period,
        days.brand_id,
        days.project_id,
        days.ip_asset_id,
        days.views,
        days.clicks
    from periods
    inner join days
        on {{ is_day_of_first_month('days.metric_date') }}

    union all

    select
        periods.metric_date,
        periods.period,
        months.brand_id,
        months.project_id,
        months.ip_asset_id,
        months.views,
        months.clicks
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
        ip_asset_id,
        sum(views) as views,
        sum(clicks) as clicks
    from parts
    group by
        metric_date,
        period,
        brand_id,
        project_id,
        ip_asset_id

)

select
    totals.metric_date,
    totals.period,
    totals.brand_id,
    totals.project_id,
    totals.ip_asset_id,
    assets.title,
    cast(totals.views as bigint) as views,
    cast(totals.clicks as bigint) as clicks,
    {{ percentage('totals.clicks', 'totals.views') }} as ctr
from totals
inner join brands
    on totals.brand_id = brands.brand_id
inner join assets
    on totals.ip_asset_id = assets.ip_asset_id
