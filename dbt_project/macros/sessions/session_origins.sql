{# The origin of each session, from the CTEs session_events, attribution and previous_day_events:
     attributed_events   events of sessions with the attribution that they carry themselves
     first_origins       the attribution of the first event of a session that carries any #}
{% macro session_origins() -%}
{%- set oldest_first = 'occurred_at, event_id' -%}
-- Each event of a session with the attribution that it carries itself.
attributed_events as (

    select
        session_events.*,
        attribution.channel as origin_channel,
        attribution.source as origin_source,
        attribution.medium as origin_medium,
        attribution.campaign as origin_campaign,
        attribution.utm_source as origin_utm_source
    from session_events
    left join attribution
        on
            session_events.event_id = attribution.event_id
            and session_events.event_date = attribution.event_date

),

-- The first event of a session that carries attribution says where the session came from.
origins as (

    select
        session_id,
        event_id,
        origin_channel,
        origin_source,
        origin_medium,
        origin_campaign,
        origin_utm_source,
        occurred_at
    from attributed_events
    where origin_channel is not null
    union all
    select
        session_id,
        event_id,
        origin_channel,
        origin_source,
        origin_medium,
        origin_campaign,
        origin_utm_source,
        occurred_at
    from previous_day_events
    where
        session_date = event_date
        and origin_channel is not null

),

first_origins as (

    select
        session_id,
        {{ first_value_by('origin_channel', oldest_first) }} as origin_channel,
        {{ first_value_by('origin_source', oldest_first) }} as origin_source,
        {{ first_value_by('origin_medium', oldest_first) }} as origin_medium,
        {{ first_value_by('origin_campaign', oldest_first) }} as origin_campaign,
        -- The first origin's, also when that has none.
        nullif({{ first_value_by("coalesce(origin_utm_source, '')", oldest_first) }}, '') as origin_utm_source
    from origins
    group by session_id

)
{%- endmacro %}
