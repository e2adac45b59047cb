with

latest as (

    {{ latest_version(source('marketplace', 'ip_ownerships')) }}

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
