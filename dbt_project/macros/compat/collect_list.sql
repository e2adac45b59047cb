{# An aggregate: the values of a group as one list, in any order. `unnest_list` makes rows of it again. #}
{% macro collect_list(column) -%}
    {{ return(adapter.dispatch('collect_list')(column)) }}
{%- endmacro %}

{% macro default__collect_list(column) -%}
    array_agg({{ column }})
{%- endmacro %}

{# In a select: one row for every value of a list, with the row's other columns beside it. #}
{% macro unnest_list(list) -%}
    {{ return(adapter.dispatch('unnest_list')(list)) }}
{%- endmacro %}

{% macro default__unnest_list(list) -%}
    unnest({{ list }})
{%- endmacro %}
