{# The host of a URL, lower case, without user, port, a leading www. and a trailing dot; null where there is none. #}
{% macro url_host(column) -%}
    {{ return(adapter.dispatch('url_host')(column)) }}
{%- endmacro %}

{% macro default__url_host(column) -%}
    nullif(regexp_replace(substring(lower({{ column }}) from '^[a-z][a-z0-9+.-]*://(?:[^/?#@]*@)?([^/?#:]+)'), '^www[.]|[.]$', '', 'g'), '')
{%- endmacro %}
