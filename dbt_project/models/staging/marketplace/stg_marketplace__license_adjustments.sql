with

license_adjustments as (

    select * from {{ source('marketplace', 'license_adjustments') }}

)

select
    id as license_adjustment_id,
    license_id,
    reason as adjustment_reason,
    amount_cents,
    is_removed,
    effective_date,
    created_at,
    observed_date,
    change_id as version_number
from license_adjustments
