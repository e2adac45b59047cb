{# The host of a URL, lower case, without user, port, a leading www. and a trailing dot; null where there is none. #}
{% macro url_host(column) -%}
    {{ return(adapter.dispatch('url_host')(column)) }}
{%- endmacro %}

{# Scheme, user (what stands before the last @), the host (an IPv6 address in brackets, or anything), port. #}
{% macro default__url_host(column) -%}
    {%- set scheme = '[a-z][a-z0-9+.-]*://' -%}
    {%- set host = '[[][^]/?#]*[]]|[^/?#:@]+' -%}
    {%- set url = '^' ~ scheme ~ '(?:[^/?#]*@)?(' ~ host ~ ')(?::[^/?#@]*)?(?:[/?#]|$)' -%}
    nullif(regexp_replace(substring(lower({{ column }}) from '{{ url }}'), '^www[.]|[.]$', '', 'g'), '')
{%- endmacro %}
