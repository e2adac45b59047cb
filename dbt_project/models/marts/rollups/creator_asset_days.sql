{{ config(event_time='metric_date', pre_hook="{{ disable_nested_loops() }}") }}

with

days as (

    select * from {{ ref('daily_metrics') }}
    where {{ in_window('metric_date') }}

),

ownerships as (

    select * from {{ ref('stg_marketplace__ip_ownerships') }}
    where creator_id is not null

),

asset_days as (

    {{ asset_sums() }}

)

-- Each owner of a share on the day has all of the asset's numbers, once, however many shares.
select distinct
    asset_days.metric_date,
    ownerships.creator_id,
    asset_days.ip_asset_id,
    asset_days.views,
    asset_days.clicks,
    asset_days.conversions,
    asset_days.revenue_cents
from asset_days
inner join ownerships
    on
        asset_days.ip_asset_id = ownerships.ip_asset_id
        and {{ in_term('asset_days.metric_date', 'ownerships.ownership_start_date', 'ownerships.ownership_end_date') }}
