with

latest as (

    {{ latest_version(source('marketplace', 'license_adjustments')) }}

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
