{# CTE previous_day_events: the session events of the day before the window, as that day's build wrote them. Its sessions may
   go on in the window. Reads the model's own table; on the first build it is empty, with the columns of CTE events_in_brief. #}
{% macro previous_day_sessions() -%}
-- Session events of the day before, as its own build wrote them.
previous_day_events as (

    {% if not is_first_build() -%}
        select
            event_id,
            event_source,
            actor_id,
            session_key,
            session_id,
            session_date,
            origin_channel,
            origin_source,
            origin_medium,
            origin_campaign,
            origin_utm_source,
            event_date,
            occurred_at
        from {{ this }}
        where
            written_with_date = {{ window_start() }} - 1
            and not is_next_day_part
            and session_id is not null
    {%- else -%}
        select
            event_id,
            event_source,
            actor_id,
            cast(null as text) as session_key,
            event_id as session_id,
            event_date as session_date,
            cast(null as text) as origin_channel,
            cast(null as text) as origin_source,
            cast(null as text) as origin_medium,
            cast(null as text) as origin_campaign,
            cast(null as text) as origin_utm_source,
            event_date,
            occurred_at
        from events_in_brief
        where false
    {%- endif %}

)
{%- endmacro %}
