{# CTE session_events: all events of sessions from the first day of the window on. Events of servers (api, system, webhook)
   join the session in which their actor was seen before, within the timeout. Reads the CTEs followed_events,
   actors_of_next_day, visits and previous_day_events. #}
{% macro server_sessions() -%}
-- A server's event joins the session in which its actor was seen within the timeout before.
server_events as (

    select
        event_id,
        actor_id,
        event_date,
        occurred_at
    from followed_events
    where
        is_server
        and actor_id is not null
        and (
            event_date < {{ window_end() }}
            or occurred_at < {{ window_end_at() }} + {{ session_timeout() }}
            or actor_id in (select actors_of_next_day.actor_id from actors_of_next_day)
        )

),

actors_of_servers as (

    select distinct actor_id
    from server_events

),

-- Each actor as seen in sessions, and the events of servers, which have none yet.
actor_timeline as (

    select
        actor_id,
        session_key,
        session_id,
        session_date,
        event_id,
        cast(null as date) as event_date,
        occurred_at,
        0 as is_server
    from visits
    where actor_id in (select actors_of_servers.actor_id from actors_of_servers)
    union all
    select
        actor_id,
        session_key,
        session_id,
        session_date,
        event_id,
        cast(null as date) as event_date,
        occurred_at,
        0 as is_server
    from previous_day_events
    where
        event_source in ('web', 'mobile')
        and occurred_at > {{ window_start_at() }} - {{ session_timeout() }}
        and actor_id in (select actors_of_servers.actor_id from actors_of_servers)
    union all
    select
        actor_id,
        cast(null as text) as session_key,
        cast(null as uuid) as session_id,
        cast(null as date) as session_date,
        event_id,
        event_date,
        occurred_at,
        1 as is_server
    from server_events

),

numbered_timeline as (

    select
        *,
        sum(1 - is_server) over (partition by actor_id order by occurred_at, is_server, event_id) as visit_number
    from actor_timeline

),

followed_timeline as (

    select
        event_id,
        event_date,
        occurred_at,
        is_server,
        first_value(session_key) over visit_order as session_key,
        first_value(session_id) over visit_order as session_id,
        first_value(session_date) over visit_order as session_date,
        first_value(occurred_at) over visit_order as seen_at
    from numbered_timeline
    where visit_number > 0
    window visit_order as (partition by actor_id, visit_number order by occurred_at, is_server, event_id)

),

joined_events as (

    select
        event_id,
        session_key,
        session_id,
        session_date,
        event_date,
        occurred_at
    from followed_timeline
    where
        is_server = 1
        and occurred_at - seen_at < {{ session_timeout() }}
        -- A session is over at the end of its second day.
        and event_date - session_date <= 1

),

session_events as (

    select
        event_id,
        session_key,
        session_id,
        session_date,
        event_date,
        occurred_at
    from visits
    where event_date >= {{ window_start() }}
    union all
    select * from joined_events

)
{%- endmacro %}
