with

ip_ownerships as (

    select * from {{ source('marketplace', 'ip_ownerships') }}

)

select
    id as ip_ownership_id,
    ip_asset_id,
    creator_id,
    share_bps,
    is_removed,
    start_date as ownership_start_date,
    {{ unless_infinite('end_date') }} as ownership_end_date,
    observed_date,
    change_id as version_number
from ip_ownerships
