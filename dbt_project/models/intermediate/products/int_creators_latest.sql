{{ config(materialized='view') }}

with

creators as (

    select * from {{ ref('stg_marketplace__creators') }}

),

numbered as (

    select
        *,
        row_number() over (partition by creator_id order by version_number desc) as nth_latest
    from creators

)

select
    creator_id,
    user_id,
    display_name,
    is_removed or deleted_at is not null as is_deleted,
    created_at,
    deleted_at
from numbered
where nth_latest = 1
