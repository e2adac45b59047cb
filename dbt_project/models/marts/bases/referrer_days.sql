{{ config(event_time='metric_date') }}

with

events as (

    select * from {{ ref('int_events_attributed') }}
    where {{ in_window('event_date') }}

),

attribution as (

    select * from {{ ref('stg_tracking__attribution') }}
    where {{ in_window('event_date') }}

),

-- A view's own referrer, whatever its session came from.
views as (

    select
        events.event_date as metric_date,
        events.ip_asset_id,
        coalesce(attribution.referrer_host, 'direct') as referrer
    from events
    left join attribution
        on
            events.event_id = attribution.event_id
            and events.event_date = attribution.event_date
    where
        events.is_view
        and not events.is_bot
        and events.ip_asset_id is not null

)

select
    metric_date,
    ip_asset_id,
    referrer,
    count(*) as views
from views
group by
    metric_date,
    ip_asset_id,
    referrer
