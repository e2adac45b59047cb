{{ config(event_time='event_date') }}

with

observations_of_window as (

    select * from {{ ref('int_identity_observations') }}
    where {{ in_window('event_date') }}

),

signed_in_observations as (

    select * from {{ ref('int_identity_observations') }}
    where actor_id is not null

),

device_days as (

    select distinct
        anonymous_id,
        event_date
    from observations_of_window

),

-- Once two actors have used a device its anonymous events belong to neither of them. Later days are never looked at.
-- A look-up for each device, by its index, costs the same however long the history is.
resolved as (

    select
        device_days.anonymous_id,
        (
            select case when min(seen.actor_id) = max(seen.actor_id) then min(seen.actor_id) end
            from signed_in_observations as seen
            where
                seen.anonymous_id = device_days.anonymous_id
                and seen.event_date <= device_days.event_date
        ) as actor_id,
        device_days.event_date
    from device_days

)

select
    anonymous_id,
    actor_id,
    event_date
from resolved
where actor_id is not null
