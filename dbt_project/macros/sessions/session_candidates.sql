{# CTEs that select the events which can decide about sessions of the window. They read the CTEs events_in_brief and
   previous_day_events. Used further on:
     followed_events      events of no bot, with the key of their session (none for servers' events)
     actors_of_next_day   actors who may still be in a session of the last day when that day is over
     keyed                events with a session key, and the last event of each session of the day before #}
{% macro session_candidates() -%}
-- Browsers and apps have sessions of their own. Servers and robots have none.
followed_events as (

    select
        event_id,
        case
            when event_source in ('web', 'mobile')
                then {{ session_key('tracker_session_id', 'anonymous_id', 'actor_id') }}
        end as session_key,
        actor_id,
        event_source not in ('web', 'mobile') as is_server,
        event_date,
        occurred_at
    from events_in_brief
    where not is_bot

),

keys_of_first_day as (

    select distinct session_key
    from followed_events
    where
        event_date = {{ window_start() }}
        and session_key is not null

),

keys_of_last_day as (

    select distinct session_key
    from followed_events
    where
        event_date = {{ window_end() }} - 1
        and session_key is not null

),

-- Actors who may still be in a session of the last day when that day is over; servers' events may join it.
actors_of_next_day as (

    select distinct actor_id
    from followed_events
    where
        event_date = {{ window_end() }}
        and actor_id is not null
        and session_key in (select keys_of_last_day.session_key from keys_of_last_day)

),

-- Each session that began on the day before and may go on, as one event: its last.
open_sessions as (

    select
        session_id as event_id,
        session_key,
        cast(null as text) as actor_id,
        max(event_date) as event_date,
        max(occurred_at) as occurred_at
    from previous_day_events
    where
        session_date = event_date
        and event_source in ('web', 'mobile')
        and session_key in (select keys_of_first_day.session_key from keys_of_first_day)
    group by session_id, session_key

),

keyed as (

    select
        event_id,
        session_key,
        actor_id,
        event_date,
        occurred_at
    from followed_events
    where
        session_key is not null
        and (
            event_date < {{ window_end() }}
            or session_key in (select keys_of_last_day.session_key from keys_of_last_day)
            -- A server's event of the next day may follow its actor into a session that begins there.
            or (actor_id is not null and occurred_at < {{ window_end_at() }} + {{ session_timeout() }})
            or actor_id in (select actors_of_next_day.actor_id from actors_of_next_day)
        )
    union all
    select * from open_sessions

)
{%- endmacro %}
