{{ config(materialized='view') }}

with

projects as (

    select * from {{ ref('stg_marketplace__projects') }}

),

numbered as (

    select
        *,
        row_number() over (partition by project_id order by version_number desc) as nth_latest
    from projects

)

select
    project_id,
    brand_id,
    project_name,
    budget_cents,
    is_removed as is_deleted,
    created_at
from numbered
where nth_latest = 1
