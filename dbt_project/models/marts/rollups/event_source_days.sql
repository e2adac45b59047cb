-- Measures of each event source by day, without bots, which the checks of anomalies compare with earlier weeks.
{{ config(event_time='metric_date') }}

with

events as (

    select * from {{ ref('int_events_sessionized') }}
    where {{ in_window('written_with_date') }}

),

received_events as (

    select * from {{ ref('stg_tracking__events') }}
    where {{ in_window('event_date') }}

),

-- An event after midnight is there twice; its own day counts it.
own_events as (

    select
        *,
        -- A session has the id of its first event.
        event_id = session_id as begins_session,
        revenue_cents > 0 as has_revenue
    from events
    where
        not is_next_day_part
        and not is_bot

),

counted as (

    select
        event_date,
        event_source,
        count(*) as events,
        count(distinct extract(hour from occurred_at)) as active_hours,
        count(case when begins_session then 1 end) as sessions,
        count(case when begins_session and channel = 'Direct' then 1 end) as direct_sessions,
        count(case when begins_session and channel = 'Unassigned' then 1 end) as unassigned_sessions,
        count(case when is_conversion then 1 end) as conversions,
        sum(revenue_cents) as revenue_cents,
        count(case when has_revenue then 1 end) as revenue_events,
        -- Six decimals, so that the sum is exact whatever the order of the rows.
        sum(case when has_revenue then cast(ln(cast(revenue_cents as numeric)) as numeric(20, 6)) end) as revenue_logs
    from own_events
    group by
        event_date,
        event_source

),

conversions_alike as (

    select
        event_date,
        event_source,
        count(*) as conversions
    from own_events
    where is_conversion
    group by
        event_date,
        event_source,
        event_type,
        visitor_id,
        ip_asset_id,
        license_id,
        value_cents

),

repeated as (

    select
        event_date,
        event_source,
        sum(conversions - 1) as repeated_conversions
    from conversions_alike
    group by
        event_date,
        event_source

),

delayed as (

    select
        event_date,
        event_source,
        count(*) as delayed_events
    from received_events
    where
        not is_bot
        and received_at > occurred_at + interval '1 hour'
        -- An event without the moment of its receipt has the end of its landing day.
        and extract(hour from received_at) + extract(minute from received_at) + extract(second from received_at) > 0
    group by
        event_date,
        event_source

)

select
    counted.event_date as metric_date,
    counted.event_source,
    counted.events,
    counted.active_hours,
    coalesce(delayed.delayed_events, 0) as delayed_events,
    counted.sessions,
    counted.direct_sessions,
    counted.unassigned_sessions,
    counted.conversions,
    cast(coalesce(repeated.repeated_conversions, 0) as bigint) as repeated_conversions,
    cast(counted.revenue_cents as bigint) as revenue_cents,
    counted.revenue_events,
    cast(coalesce(counted.revenue_logs, 0) as numeric(20, 6)) as revenue_logs
from counted
left join repeated
    on
        counted.event_date = repeated.event_date
        and counted.event_source = repeated.event_source
left join delayed
    on
        counted.event_date = delayed.event_date
        and counted.event_source = delayed.event_source
