with

licenses as (

    select * from {{ source('marketplace', 'licenses') }}

)

select
    id as license_id,
    ip_asset_id,
    brand_id,
    project_id,
    parent_license_id,
    status as license_status,
    fee_cents,
    is_removed,
    start_date as license_start_date,
    {{ unless_infinite('end_date') }} as license_end_date,
    created_at,
    observed_date,
    change_id as version_number
from licenses
