{{ config(event_time='event_date') }}

with

observations as (

    select * from {{ ref('int_identity_observations') }}

),

devices_of_window as (

    select distinct
        anonymous_id,
        event_date
    from observations
    where {{ in_window('event_date') }}

),

-- When each link of one of these devices became known. Later days are never looked at.
links as (

    select
        observations.anonymous_id,
        observations.actor_id,
        min(observations.event_date) as known_date
    from observations
    inner join (select distinct anonymous_id from devices_of_window) as devices
        on observations.anonymous_id = devices.anonymous_id
    where
        observations.actor_id is not null
        and observations.event_date < {{ window_end() }}
    group by observations.anonymous_id, observations.actor_id

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
