{{ config(event_time='metric_date') }}

with

periods as (

    select * from {{ ref('periods') }}

),

brands as (

    select * from {{ ref('stg_marketplace__brands') }}
    where not is_deleted

),

assets as (

    select * from {{ ref('stg_marketplace__ip_assets') }}
    where not is_deleted

),

licenses as (

    select * from {{ ref('int_licenses') }}
    where not is_removed

),

days as (

    select * from {{ current_version('brand_asset_days') }}
    where {{ in_first_months('metric_date') }}

),

months as (

    select * from {{ current_version('brand_asset_months') }}

),

licensed as (

    select distinct
        brand_id,
        project_id,
        ip_asset_id
    from licenses

),

-- Every licensed asset has every period, also where nothing happened.
licensed_periods as (

    select
        periods.period,
        licensed.brand_id,
        licensed.project_id,
        licensed.ip_asset_id
    from licensed
    cross join periods

),

totals as (

    {{ period_sums(['brand_id', 'project_id', 'ip_asset_id'], ['views', 'clicks'], {'licensed_periods': []}) }}

)

select
    periods.metric_date,
    periods.period,
    totals.brand_id,
    totals.project_id,
    totals.ip_asset_id,
    assets.title,
    cast(totals.views as bigint) as views,
    cast(totals.clicks as bigint) as clicks,
    {{ percentage('totals.clicks', 'totals.views') }} as ctr
from totals
inner join periods
    on totals.period = periods.period
inner join brands
    on totals.brand_id = brands.brand_id
inner join assets
    on totals.ip_asset_id = assets.ip_asset_id
