{{ config(
    event_time='event_date',
    post_hook=[
        'create index if not exists int_identity_observations_event_date on {{ this }} (event_date)',
        'create index if not exists int_identity_observations_actor on {{ this }} (actor_id, anonymous_id) where actor_id is not null',
        'create index if not exists int_identity_observations_signed_in on {{ this }} (anonymous_id, actor_id, event_date) where actor_id is not null',
    ]
) }}

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
where
    anonymous_id is not null
    and not is_bot
group by anonymous_id, actor_id, event_date
