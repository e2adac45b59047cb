{{ config(event_time='metric_date') }}

with

periods as (

    select * from {{ ref('periods') }}
    where period = 'today'

),

licenses as (

    select * from {{ ref('int_licenses') }}

),

assets as (

    select * from {{ ref('stg_marketplace__ip_assets') }}

)

select
    periods.metric_date,
    licenses.license_id,
    assets.title as asset_title,
    licenses.ip_asset_id,
    licenses.brand_id,
    licenses.project_id,
    licenses.parent_license_id,
    licenses.license_status,
    licenses.fee_cents,
    {{ unless_infinite('licenses.license_start_date') }} as start_date,
    licenses.license_end_date as end_date,
    {{ utc_date(unless_infinite('licenses.created_at')) }} as created_date,
    licenses.is_removed as is_deleted
from licenses
cross join periods
left join assets
    on licenses.ip_asset_id = assets.ip_asset_id
