{# The first day of a date's month. #}
{% macro month_of(column) -%}
    {{ return(adapter.dispatch('month_of')(column)) }}
{%- endmacro %}

{% macro default__month_of(column) -%}
    cast(date_trunc('month', cast({{ column }} as timestamp)) as date)
{%- endmacro %}

{# The first day of the month after a date's. #}
{% macro month_after(column) -%}
    {{ return(adapter.dispatch('month_after')(column)) }}
{%- endmacro %}

{% macro default__month_after(column) -%}
    cast(date_trunc('month', cast({{ column }} as timestamp)) + interval '1 month' as date)
{%- endmacro %}
