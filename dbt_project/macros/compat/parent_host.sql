{# The host without its first `levels` labels; null when less than two labels would be left. #}
{% macro parent_host(host, levels) -%}
    {{ return(adapter.dispatch('parent_host')(host, levels)) }}
{%- endmacro %}

{% macro default__parent_host(host, levels) -%}
    substring({{ host }} from '^(?:[^.]+[.]){{ '{' ~ levels ~ '}' }}([^.]+[.].+)$')
{%- endmacro %}
