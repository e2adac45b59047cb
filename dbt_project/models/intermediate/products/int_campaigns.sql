{{ config(materialized='view') }}

with

brands as (

    select * from {{ ref('stg_marketplace__brands') }}
    where not is_deleted

),

projects as (

    select * from {{ ref('stg_marketplace__projects') }}
    where not is_deleted

),

licenses as (

    select * from {{ ref('int_licenses') }}
    where not is_removed

)

select
    brand_id,
    project_id
from projects

union

select
    brand_id,
    project_id
from licenses

union

select
    brand_id,
    cast(null as text) as project_id
from brands
where
    not exists (
        select 1 from projects
        where projects.brand_id = brands.brand_id
    )
