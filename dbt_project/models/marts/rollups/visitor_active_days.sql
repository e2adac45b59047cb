{{ config(event_time='metric_date') }}

with

events as (

    select * from {{ ref('int_events_attributed') }}
    where {{ in_window('event_date') }}

)

-- The visitor of an event with an actor is that actor: to count the actors is to count those who are signed in.
select
    event_date as metric_date,
    visitor_id,
    max(case when actor_id is not null then 1 else 0 end) = 1 as is_signed_in
from events
where
    not is_bot
    and visitor_id is not null
group by
    event_date,
    visitor_id
