{# Whether a text fits a regular expression anywhere, whatever the case of either. #}
{% macro matches(text, pattern) -%}
    {{ return(adapter.dispatch('matches')(text, pattern)) }}
{%- endmacro %}

{% macro default__matches(text, pattern) -%}
    {{ text }} ~* {{ pattern }}
{%- endmacro %}
