{{ config(materialized='view') }}

with

ownerships as (

    select * from {{ ref('stg_marketplace__ip_ownerships') }}

),

numbered as (

    select
        *,
        row_number() over (partition by ip_ownership_id order by version_number desc) as nth_latest
    from ownerships

)

select
    ip_ownership_id,
    ip_asset_id,
    creator_id,
    share_bps,
    ownership_start_date,
    ownership_end_date
from numbered
where nth_latest = 1
    and not is_removed
