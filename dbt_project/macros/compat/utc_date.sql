{# The UTC day of a moment, in whatever time zone the session is. #}
{% macro utc_date(moment) -%}
    {{ return(adapter.dispatch('utc_date')(moment)) }}
{%- endmacro %}

{% macro default__utc_date(moment) -%}
    cast({{ moment }} at time zone 'UTC' as date)
{%- endmacro %}
