{# CTE own_devices: the devices that belong to one actor alone by the end of a conversion's day. Reads the CTEs conversions,
   observations_of_actors and observations_of_devices (both of int_identity_observations, each read in one place). #}
{% macro devices_of_actors() -%}
actors as (

    select distinct actor_id
    from conversions
    where actor_id is not null

),

actor_devices as (

    {{ distinct_by_index_skip('actors', 'observations_of_actors', key='actor_id', value='anonymous_id') }}

),

devices as (

    select distinct anonymous_id
    from actor_devices

),

links as (

    {{ distinct_by_index_skip('devices', 'observations_of_devices', key='anonymous_id', value='actor_id', least='event_date') }}

),

actor_days as (

    select distinct
        actor_id,
        conversion_date
    from conversions
    where actor_id is not null

),

-- Once two actors have used a device its anonymous touches belong to neither of them. Later days are never looked at.
own_devices as (

    select
        actor_days.actor_id,
        actor_days.conversion_date,
        links.anonymous_id
    from actor_days
    inner join actor_devices
        on actor_days.actor_id = actor_devices.actor_id
    inner join links
        on
            actor_devices.anonymous_id = links.anonymous_id
            and actor_days.conversion_date >= links.event_date
    group by actor_days.actor_id, actor_days.conversion_date, links.anonymous_id
    having count(*) = 1 and min(links.actor_id) = actor_days.actor_id

)
{%- endmacro %}
