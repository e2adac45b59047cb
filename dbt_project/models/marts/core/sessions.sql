{{ config(event_time='metric_date') }}

with

sessions as (

    select * from {{ ref('int_sessions') }}
    where {{ in_window('session_date') }}

)

select
    session_date as metric_date,
    session_id,
    visitor_id,
    channel,
    source,
    medium,
    campaign,
    device_type,
    browser,
    os,
    entry_page,
    exit_page,
    session_started_at,
    session_ended_at,
    cast(duration_seconds as numeric(20, 6)) as duration_seconds,
    events,
    views,
    clicks,
    conversions,
    coalesce(revenue_cents, 0) as revenue_cents,
    cast(coalesce(engagement_time, 0) as numeric(20, 3)) as engagement_time,
    is_engaged
from sessions
