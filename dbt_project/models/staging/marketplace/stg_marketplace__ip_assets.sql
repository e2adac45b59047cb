with

latest as (

    {{ latest_version(source('marketplace', 'ip_assets')) }}

)

select
    id as ip_asset_id,
    created_by as created_by_user_id,
    title,
    type as asset_type,
    is_removed,
    is_removed or {{ unless_infinite('deleted_at') }} is not null as is_deleted,
    created_at,
    {{ unless_infinite('deleted_at') }} as deleted_at
from latest
