{# In a select: one row for every week from a Monday to another one, with the row's other columns beside it. #}
{% macro each_week(first, last) -%}
    {{ return(adapter.dispatch('each_week')(first, last)) }}
{%- endmacro %}

{% macro default__each_week(first, last) -%}
    {{ first }} + 7 * generate_series(0, ({{ last }} - {{ first }}) / 7)
{%- endmacro %}
