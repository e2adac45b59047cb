{# A select of every pair of an actor of `actors` (actor_id) and a device that `observations` (actor_id, anonymous_id, both
   never null) have seen with it, each pair once. #}
{% macro devices_of_actors(actors, observations) -%}
    {{ return(adapter.dispatch('devices_of_actors')(actors, observations)) }}
{%- endmacro %}

{# From one device to the next in the index on (actor_id, anonymous_id): a device that was used on every day of years costs
   one look, where `select distinct` would read all of its days. Both CTEs have to be read nowhere else, or the server
   writes them out first. #}
{% macro default__devices_of_actors(actors, observations) -%}
    with recursive steps as (
        select
            actor_id,
            '' as anonymous_id
        from {{ actors }}
        union all
        select
            steps.actor_id,
            (
                select min(seen.anonymous_id)
                from {{ observations }} as seen
                where seen.actor_id = steps.actor_id and seen.anonymous_id > steps.anonymous_id
            ) as anonymous_id
        from steps
        where steps.anonymous_id is not null
    )

    select
        actor_id,
        anonymous_id
    from steps
    where anonymous_id > ''
{%- endmacro %}
