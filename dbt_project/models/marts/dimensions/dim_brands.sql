{{ config(event_time='metric_date') }}

with

periods as (

    select * from {{ ref('periods') }}
    where period = 'today'

),

brands as (

    select * from {{ ref('stg_marketplace__brands') }}

)

select
    periods.metric_date,
    brands.brand_id,
    brands.company_name,
    {{ utc_date(unless_infinite('brands.created_at')) }} as created_date,
    {{ utc_date('brands.deleted_at') }} as deleted_date,
    brands.is_deleted
from brands
cross join periods
