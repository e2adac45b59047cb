{# A date or a moment; null where it is infinity, by which Postgres says that something never ends. #}
{% macro unless_infinite(column) -%}
    {{ return(adapter.dispatch('unless_infinite')(column)) }}
{%- endmacro %}

{% macro default__unless_infinite(column) -%}
    nullif({{ column }}, 'infinity')
{%- endmacro %}
