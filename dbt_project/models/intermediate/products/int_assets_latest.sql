{{ config(materialized='view') }}

with

assets as (

    select * from {{ ref('stg_marketplace__ip_assets') }}

),

numbered as (

    select
        *,
        row_number() over (partition by ip_asset_id order by version_number desc) as nth_latest
    from assets

)

select
    ip_asset_id,
    title,
    asset_type,
    created_by_user_id,
    is_removed,
    is_removed or deleted_at is not null as is_deleted,
    created_at
from numbered
where nth_latest = 1
