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
        attribution.referrer_host,
        count(*) as views
    from events
    left join attribution
        on
            events.event_id = attribution.event_id
            and events.event_date = attribution.event_date
    where
        events.is_view
        and not events.is_bot
        and events.ip_asset_id is not null
    group by
        events.event_date,
        events.ip_asset_id,
        attribution.referrer_host

),

-- Few hosts are looked at, and not every view's.
named as (

    select
        metric_date,
        ip_asset_id,
        case when {{ is_public_host('referrer_host') }} then referrer_host else 'direct' end as referrer,
        views
    from views

)

select
    metric_date,
    ip_asset_id,
    referrer,
    cast(sum(views) as bigint) as views
from named
group by
    metric_date,
    ip_asset_id,
    referrer
