{{ config(event_time='metric_date') }}

with

periods as (

    select * from {{ ref('periods') }}
    where period = 'today'

),

assets as (

    select * from {{ ref('stg_marketplace__ip_assets') }}

),

creators as (

    select * from {{ ref('stg_marketplace__creators') }}

),

ownerships as (

    select * from {{ ref('stg_marketplace__ip_ownerships') }}

),

-- One of a user's creators, should there be several.
creators_of_users as (

    select
        user_id,
        min(creator_id) as creator_id
    from creators
    group by user_id

),

owners as (

    select
        ownerships.ip_asset_id,
        count(distinct ownerships.creator_id) as owners
    from ownerships
    cross join periods
    where
        ownerships.ownership_start_date <= periods.last_date
        and (ownerships.ownership_end_date is null or ownerships.ownership_end_date > periods.last_date)
    group by ownerships.ip_asset_id

)

select
    periods.metric_date,
    assets.ip_asset_id,
    assets.title,
    assets.asset_type,
    creators_of_users.creator_id,
    coalesce(owners.owners, 0) as owners,
    {{ utc_date(unless_infinite('assets.created_at')) }} as created_date,
    {{ utc_date('assets.deleted_at') }} as deleted_date,
    assets.is_deleted
from assets
cross join periods
left join creators_of_users
    on assets.created_by_user_id = creators_of_users.user_id
left join owners
    on assets.ip_asset_id = owners.ip_asset_id
