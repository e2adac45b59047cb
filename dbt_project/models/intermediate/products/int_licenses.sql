{{ config(materialized='view') }}

with

licenses as (

    select * from {{ ref('stg_marketplace__licenses') }}

),

-- A fee is the first one that was seen: what changes it later is a license adjustment, which counts on its own day.
numbered as (

    select
        *,
        first_value(fee_cents) over (
            partition by license_id order by case when fee_cents is null then 1 else 0 end, version_number asc
        ) as first_fee_cents,
        row_number() over (partition by license_id order by version_number desc) as nth_latest
    from licenses

)

-- A license that was removed from the product keeps naming its asset and project for the events that named it.
select
    license_id,
    ip_asset_id,
    project_id,
    brand_id,
    parent_license_id,
    license_status,
    first_fee_cents as fee_cents,
    is_removed,
    license_start_date,
    license_end_date,
    created_at
from numbered
where nth_latest = 1
