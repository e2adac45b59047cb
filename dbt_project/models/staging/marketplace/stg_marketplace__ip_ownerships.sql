with

ip_ownerships as (

    select * from {{ source('marketplace', 'ip_ownerships') }}

),

latest as (

    {{ latest_version('ip_ownerships') }}

)

select
    id as ip_ownership_id,
    ip_asset_id,
    creator_id,
    share_bps,
    start_date as ownership_start_date,
    {{ unless_infinite('end_date') }} as ownership_end_date
from latest
where not is_removed
