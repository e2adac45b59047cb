{{ config(materialized='view') }}

with

brands as (

    select * from {{ ref('stg_marketplace__brands') }}

),

numbered as (

    select
        *,
        row_number() over (partition by brand_id order by version_number desc) as nth_latest
    from brands

)

select
    brand_id,
    user_id,
    company_name,
    is_removed or deleted_at is not null as is_deleted,
    created_at,
    deleted_at
from numbered
where nth_latest = 1
