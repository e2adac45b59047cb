{{ config(materialized='view') }}

with

licenses as (

    select * from {{ ref('int_licenses') }}
    where not is_removed

),

ownerships as (

    select * from {{ ref('stg_marketplace__ip_ownerships') }}
    where creator_id is not null

),

dated as (

    select
        license_id,
        ip_asset_id,
        {{ utc_date('created_at') }} as created_date
    from licenses

)

-- Several shares of one creator count once.
select distinct
    dated.license_id,
    dated.ip_asset_id,
    ownerships.creator_id,
    dated.created_date
from dated
inner join ownerships
    on
        dated.ip_asset_id = ownerships.ip_asset_id
        and {{ in_term('dated.created_date', 'ownerships.ownership_start_date', 'ownerships.ownership_end_date') }}
