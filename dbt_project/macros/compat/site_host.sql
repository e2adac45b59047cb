{# True for a host of the public internet, which is neither loopback nor in a private network. Numbers end a host only in
   an IPv4 address. A name without a dot is one of a private network, unless it is the number of an app in Apple's store. The domain name
   system knows no host of more than 253 bytes; what is longer would not fit an index. #}
{% macro is_public_host(host) -%}
    {{ return(adapter.dispatch('is_public_host')(host)) }}
{%- endmacro %}

{% macro default__is_public_host(host) -%}
    {%- set private_domains = [
        'localhost', 'local', 'localdomain', 'internal', 'intranet', 'private', 'corp', 'home', 'lan', 'arpa'
    ] -%}
    {%- set private_ipv4 = [
        '0', '10', '127', '169[.]254', '192[.]168', '172[.](1[6-9]|2[0-9]|3[01])',
        '100[.](6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7])'
    ] -%}
    {%- set private_ipv6 = ['::', '(0+:){3}', 'f[cd][0-9a-f]{2}:', 'fe[89ab][0-9a-f]:'] -%}
    case
        when octet_length({{ host }}) > 253 then false
        when left({{ host }}, 1) = '[' then {{ host }} !~ '^[[]({{ private_ipv6 | join("|") }})'
        when {{ host }} ~ '[.][0-9]+$' then {{ host }} !~ '^({{ private_ipv4 | join("|") }})[.][0-9.]+$'
        when position('.' in {{ host }}) = 0 then {{ host }} ~ '^[0-9]+$'
        else split_part({{ host }}, '.', -1) not in ('{{ private_domains | join("', '") }}')
    end
{%- endmacro %}

{# A host as a source is known: without `www.` and `m.` at its start. As ingestion/utm_normalization.py has it for sources that
   links name; a test holds the two equal. #}
{% macro site_name(host) -%}
    {{ return(adapter.dispatch('site_name')(host)) }}
{%- endmacro %}

{% macro default__site_name(host) -%}
    regexp_replace({{ host }}, '^(www[.](?=.)|m[.](?=.*[.]))+', '')
{%- endmacro %}
