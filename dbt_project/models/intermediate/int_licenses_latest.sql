{{ config(materialized='view') }}

with

licenses as (

    select * from {{ ref('stg_marketplace__licenses') }}

),

-- A license that was removed from the product keeps naming its asset and project for the events that named it.
numbered as (

    select
        *,
        row_number() over (partition by license_id order by version_number desc) as nth_latest
    from licenses
    where not is_removed

)

select
    license_id,
    ip_asset_id,
    project_id,
    brand_id,
    parent_license_id,
    created_at
from numbered
where nth_latest = 1
