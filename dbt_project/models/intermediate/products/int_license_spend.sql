{{ config(materialized='view') }}

with

licenses as (

    select * from {{ ref('int_licenses') }}
    where not is_removed

),

adjustments as (

    select * from {{ ref('stg_marketplace__license_adjustments') }}

)

-- A fee counts on the day on which its license was created, an adjustment on its own day.
select
    license_id,
    cast(null as text) as license_adjustment_id,
    brand_id,
    project_id,
    fee_cents as spend_cents,
    {{ utc_date('created_at') }} as spend_date
from licenses

union all

select
    licenses.license_id,
    adjustments.license_adjustment_id,
    licenses.brand_id,
    licenses.project_id,
    adjustments.amount_cents as spend_cents,
    adjustments.effective_date as spend_date
from adjustments
inner join licenses
    on adjustments.license_id = licenses.license_id
