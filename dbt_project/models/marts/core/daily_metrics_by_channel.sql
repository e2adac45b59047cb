{{ config(event_time='metric_date') }}

with

events as (

    select * from {{ ref('int_events_attributed') }}
    where {{ in_window('event_date') }}

),

-- Bots, and events that name no asset, project or license, are outside; reconciliation counts them.
measured as (

    select * from events
    where
        not is_bot
        and coalesce(ip_asset_id, project_id, license_id) is not null

)

select
    event_date as metric_date,
    project_id,
    ip_asset_id,
    license_id,
    channel,
    source,
    medium,
    campaign,
    {{ daily_measures() }}
from measured
group by
    event_date,
    project_id,
    ip_asset_id,
    license_id,
    channel,
    source,
    medium,
    campaign
