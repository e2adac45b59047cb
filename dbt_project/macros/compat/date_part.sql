{# A part of a date as a whole number: year, quarter, month; isoyear and week of ISO 8601; isodow, the weekday from 1, a Monday. #}
{% macro date_part(part, column) -%}
    {{ return(adapter.dispatch('date_part')(part, column)) }}
{%- endmacro %}

{% macro default__date_part(part, column) -%}
    cast(extract({{ part }} from {{ column }}) as integer)
{%- endmacro %}
