{{ config(event_time='event_date') }}

{%- set unbuilt = unbuilt_days() %}

with

observations as (

    select * from {{ ref('int_identity_observations') }}

),

unbuilt_events as (

    select * from {{ ref('stg_tracking__events') }}
    where {{ in_days('event_date', unbuilt) }}

),

devices_of_window as (

    select distinct
        anonymous_id,
        event_date
    from observations
    where {{ in_window('event_date') }}

),

devices as (

    select distinct anonymous_id
    from devices_of_window

),

-- What was seen of signed-in devices up to the end of the window. Later days are never looked at.
evidence as (

    select
        observations.anonymous_id,
        observations.actor_id,
        observations.event_date
    from devices
    inner join observations
        on devices.anonymous_id = observations.anonymous_id
    where
        observations.actor_id is not null
        and observations.event_date < {{ window_end() }}
        and not {{ in_days('observations.event_date', unbuilt) }}
    union all
    select
        unbuilt_events.anonymous_id,
        unbuilt_events.actor_id,
        unbuilt_events.event_date
    from devices
    inner join unbuilt_events
        on devices.anonymous_id = unbuilt_events.anonymous_id
    where
        unbuilt_events.actor_id is not null
        and not unbuilt_events.is_bot

),

-- When each link of one of these devices became known.
links as (

    select
        anonymous_id,
        actor_id,
        min(event_date) as known_date
    from evidence
    group by anonymous_id, actor_id

)

-- Once two actors have used a device its anonymous events belong to neither of them.
select
    devices_of_window.anonymous_id,
    min(links.actor_id) as actor_id,
    devices_of_window.event_date
from devices_of_window
inner join links
    on
        devices_of_window.anonymous_id = links.anonymous_id
        and devices_of_window.event_date >= links.known_date
group by devices_of_window.anonymous_id, devices_of_window.event_date
having count(*) = 1
