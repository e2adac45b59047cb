{{ config(event_time='event_date') }}

with

devices_of_window as (

    select * from {{ ref('int_identity_observations') }}
    where {{ in_window('event_date') }}

),

observations as (

    select * from {{ ref('int_identity_observations') }}
    where actor_id is not null and event_date < {{ window_end() }}

),

device_days as (

    select distinct
        anonymous_id,
        event_date
    from devices_of_window

),

devices as (

    select distinct anonymous_id
    from devices_of_window

),

-- When each link of one of these devices became known. Later days are never looked at.
links as (

    select
        devices.anonymous_id,
        observations.actor_id,
        min(observations.event_date) as known_date
    from devices
    inner join observations
        on devices.anonymous_id = observations.anonymous_id
    group by devices.anonymous_id, observations.actor_id

)

-- Once two actors have used a device its anonymous events belong to neither of them.
select
    device_days.anonymous_id,
    min(links.actor_id) as actor_id,
    device_days.event_date
from device_days
inner join links
    on
        device_days.anonymous_id = links.anonymous_id
        and device_days.event_date >= links.known_date
group by device_days.anonymous_id, device_days.event_date
having count(*) = 1
