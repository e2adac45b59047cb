with

license_adjustments as (

    select * from {{ source('marketplace', 'license_adjustments') }}

),

latest as (

    {{ latest_version('license_adjustments') }}

)

select
    id as license_adjustment_id,
    license_id,
    reason as adjustment_reason,
    amount_cents,
    effective_date,
    created_at
from latest
where not is_removed
