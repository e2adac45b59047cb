{# The Monday on which a date's ISO week begins. #}
{% macro monday_of(column) -%}
    {{ return(adapter.dispatch('monday_of')(column)) }}
{%- endmacro %}

{% macro default__monday_of(column) -%}
    {{ column }} - cast(extract(isodow from {{ column }}) as integer) + 1
{%- endmacro %}

{# The Monday after that of a week, given by its Monday. #}
{% macro week_after(monday) -%}
    {{ monday }} + 7
{%- endmacro %}
