{# A select: of each row of `keys` the different values that `relation` has beside its key, each once, and with it, where
   `least` names a column, the least of that. No key and no value is null or empty. #}
{% macro distinct_by_index_skip(keys, relation, key, value, least=none) -%}
    {{ return(adapter.dispatch('distinct_by_index_skip')(keys, relation, key, value, least)) }}
{%- endmacro %}

{# From one value to the next in the index on (key, value, least): a value that stands beside its key on every day of years
   costs one look, where `select distinct` would read all of its days. Both CTEs have to be read nowhere else, or the server
   writes them out first. #}
{% macro default__distinct_by_index_skip(keys, relation, key, value, least) -%}
    {%- set columns = [key, value] + ([least] if least else []) -%}
    with recursive steps as (
        select
            {{ key }},
            cast('' as text) as {{ value }}
            {%- if least %},
            cast(null as date) as {{ least }}
            {%- endif %}
        from {{ keys }}
        union all
        select following.*
        from steps
        cross join lateral (
            select {{ columns | join(', ') }}
            from {{ relation }} as seen
            where (seen.{{ key }}, seen.{{ value }}) > (steps.{{ key }}, steps.{{ value }})
            order by {{ columns | join(', ') }}
            limit 1
        ) as following
        where following.{{ key }} = steps.{{ key }}
    )

    select {{ columns | join(', ') }}
    from steps
    where {{ value }} > ''
{%- endmacro %}
