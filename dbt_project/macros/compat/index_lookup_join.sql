{# An inner join that always looks rows up by an index, once for each row before it. Where Postgres expects many rows, any
   other join would read the whole history. `condition` names both sides. #}
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
