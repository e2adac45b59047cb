-- One row a session. int_events_sessionized splits events into sessions, by the macros of macros/sessions.
{{ config(
    event_time='session_date',
    post_hook=[
        'create index if not exists int_sessions_identity on {{ this }} (identity_id, session_started_at)',
        'create index if not exists int_sessions_session_date on {{ this }} using brin (session_date)',
    ]
) }}

{%- set oldest_first = 'occurred_at, event_id' %}

with

events as (

    select * from {{ ref('int_events_sessionized') }}
    where {{ in_window('written_with_date') }}

),

-- Events that continue a session of the day before count there. The visitor is the one known by the end of the starting day.
session_events as (

    select
        *,
        -- All of a session's events have its channel; the first one's is taken. A server's event of the same moment may
        -- have a lesser id, and describes no device.
        event_id = session_id as is_first,
        case when not is_next_day_part then actor_id end as known_actor_id,
        case when not is_next_day_part then anonymous_id end as known_anonymous_id,
        case when not is_next_day_part and anonymous_id is not null then visitor_id end as visitor_of_device
    from events
    where session_date = written_with_date

),

sessions as (

    select
        session_id,
        {{ first_value_by('known_actor_id', oldest_first) }} as actor_id,
        {{ first_value_by('known_anonymous_id', oldest_first) }} as anonymous_id,
        max(case when is_first then cast(tracker_session_id as text) end) as tracker_session_id,
        {{ first_value_by('visitor_of_device', oldest_first) }} as visitor_of_device,
        {{ first_value_by('page_path', oldest_first) }} as entry_page,
        {{ last_value_by('page_path', oldest_first) }} as exit_page,
        {%- for column in ['device_type', 'browser', 'os', 'channel', 'source', 'medium', 'campaign'] %}
            max(case when is_first then {{ column }} end) as {{ column }},
        {%- endfor %}
        count(*) as events,
        count(case when is_view then 1 end) as views,
        count(case when is_click then 1 end) as clicks,
        count(case when is_conversion then 1 end) as conversions,
        cast(sum(revenue_cents) as bigint) as revenue_cents,
        cast(sum(engagement_time) as numeric(20, 3)) as engagement_time,
        session_date,
        min(occurred_at) as session_started_at,
        max(occurred_at) as session_ended_at
    from session_events
    group by session_id, session_date

)

select
    session_id,
    coalesce('actor:' || actor_id, visitor_of_device, 'session:' || tracker_session_id) as visitor_id,
    coalesce('actor:' || actor_id, 'anonymous:' || anonymous_id, 'session:' || tracker_session_id) as identity_id,
    anonymous_id,
    actor_id,
    entry_page,
    exit_page,
    device_type,
    browser,
    os,
    channel,
    source,
    medium,
    campaign,
    events,
    views,
    clicks,
    conversions,
    revenue_cents,
    engagement_time,
    {{ seconds_between('session_started_at', 'session_ended_at') }} as duration_seconds,
    session_ended_at - session_started_at > interval '{{ var("engaged_session_seconds") | int }}' second
    or views >= 2
    or conversions > 0 as is_engaged,
    session_date,
    session_started_at,
    session_ended_at
from sessions
