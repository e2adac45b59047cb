with

payouts as (

    select * from {{ source('marketplace', 'payouts') }}

)

select
    id as payout_id,
    creator_id,
    status as payout_status,
    amount_cents,
    is_removed,
    created_at,
    observed_date,
    change_id as version_number
from payouts
