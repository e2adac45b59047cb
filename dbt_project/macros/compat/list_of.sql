{# An aggregate: the values of a group as one list, in any order. `each_of` makes rows of it again. #}
{% macro list_of(column) -%}
    {{ return(adapter.dispatch('list_of')(column)) }}
{%- endmacro %}

{% macro default__list_of(column) -%}
    array_agg({{ column }})
{%- endmacro %}

{# In a select: one row for every value of a list, with the row's other columns beside it. #}
{% macro each_of(list) -%}
    {{ return(adapter.dispatch('each_of')(list)) }}
{%- endmacro %}

{% macro default__each_of(list) -%}
    unnest({{ list }})
{%- endmacro %}
