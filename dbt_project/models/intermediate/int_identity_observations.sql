{{ config(event_time='event_date') }}

with

events as (

    select * from {{ ref('stg_tracking__events') }}
    where {{ in_window('event_date') }}

)

select
    anonymous_id,
    actor_id,
    event_date,
    min(occurred_at) as first_observed_at
from events
where anonymous_id is not null
group by anonymous_id, actor_id, event_date
