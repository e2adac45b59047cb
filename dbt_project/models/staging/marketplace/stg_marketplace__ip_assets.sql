with

ip_assets as (

    select * from {{ source('marketplace', 'ip_assets') }}

)

select
    id as ip_asset_id,
    created_by as created_by_user_id,
    title,
    type as asset_type,
    is_removed,
    created_at,
    {{ unless_infinite('deleted_at') }} as deleted_at,
    observed_date,
    change_id as version_number
from ip_assets
