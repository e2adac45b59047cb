{{ config(materialized='view') }}

with

license_adjustments as (

    select * from {{ ref('stg_marketplace__license_adjustments') }}

),

numbered as (

    select
        *,
        row_number() over (partition by license_adjustment_id order by version_number desc) as nth_latest
    from license_adjustments

)

select
    license_adjustment_id,
    license_id,
    adjustment_reason,
    amount_cents,
    effective_date,
    created_at
from numbered
where nth_latest = 1
    and not is_removed
