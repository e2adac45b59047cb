{# True when a text matches a regular expression anywhere, in any letter case. #}
{% macro matches(text, pattern) -%}
    {{ return(adapter.dispatch('matches')(text, pattern)) }}
{%- endmacro %}

{% macro default__matches(text, pattern) -%}
    {{ text }} ~* {{ pattern }}
{%- endmacro %}
