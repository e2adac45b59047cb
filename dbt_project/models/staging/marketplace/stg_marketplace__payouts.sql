with

latest as (

    {{ latest_version(source('marketplace', 'payouts')) }}

)

select
    id as payout_id,
    creator_id,
    status as payout_status,
    amount_cents,
    created_at
from latest
where not is_removed
