{# An inner join that looks the rows up by an index for each row before it, and never otherwise: as any other join Postgres
   would read the whole history for it where it expects many rows. `condition` names both sides. #}
{% macro index_lookup_join(relation, alias, condition) -%}
    {{ return(adapter.dispatch('index_lookup_join')(relation, alias, condition)) }}
{%- endmacro %}

{% macro default__index_lookup_join(relation, alias, condition) -%}
    cross join lateral (
        select * from {{ relation }} as {{ alias }}
        where {{ condition }}
        offset 0
    ) as {{ alias }}
{%- endmacro %}
