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
        anonymous_id,
        actor_id,
        event_date
    from observations
    where
        actor_id is not null
        and event_date < {{ window_end() }}
        and not {{ in_days('event_date', unbuilt) }}
    union all
    select
        anonymous_id,
        actor_id,
        event_date
    from unbuilt_events
    where
        anonymous_id is not null
        and actor_id is not null

),

-- When each link of one of these devices became known.
links as (

    select
        evidence.anonymous_id,
        evidence.actor_id,
        min(evidence.event_date) as known_date
    from evidence
    inner join devices
        on evidence.anonymous_id = devices.anonymous_id
    group by evidence.anonymous_id, evidence.actor_id

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
