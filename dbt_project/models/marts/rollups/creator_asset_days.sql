{{ config(event_time='metric_date', pre_hook="{{ join_whole_tables() }}") }}

with

metrics as (

    select * from {{ ref('daily_metrics') }}
    where {{ in_window('metric_date') }}

),

ownerships as (

    select * from {{ ref('int_ownerships_latest') }}
    where creator_id is not null

),

assets as (

    select
        metric_date,
        ip_asset_id,
        cast(sum(views) as bigint) as views,
        cast(sum(clicks) as bigint) as clicks,
        cast(sum(conversions) as bigint) as conversions,
        cast(sum(revenue_cents) as bigint) as revenue_cents
    from metrics
    where ip_asset_id is not null
    group by
        metric_date,
        ip_asset_id

)

-- Everyone who owns a share on the day has all of the asset's numbers, once, however many shares they have.
select distinct
    assets.metric_date,
    ownerships.creator_id,
    assets.ip_asset_id,
    assets.views,
    assets.clicks,
    assets.conversions,
    assets.revenue_cents
from assets
inner join ownerships
    on
        assets.ip_asset_id = ownerships.ip_asset_id
        and {{ in_term('assets.metric_date', 'ownerships.ownership_start_date', 'ownerships.ownership_end_date') }}
