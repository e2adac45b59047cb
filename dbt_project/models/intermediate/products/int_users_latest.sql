{{ config(materialized='view') }}

with

users as (

    select * from {{ ref('stg_marketplace__users') }}

),

numbered as (

    select
        *,
        row_number() over (partition by user_id order by version_number desc) as nth_latest
    from users

)

select
    user_id,
    user_role,
    is_removed or deleted_at is not null as is_deleted,
    created_at,
    deleted_at
from numbered
where nth_latest = 1
