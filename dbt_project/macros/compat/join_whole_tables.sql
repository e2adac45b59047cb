{# Before a model that joins most of the rows of its tables. Of the product's rows as they are now, which a window function
   finds, Postgres expects next to none, and would compare each with every other: 30,000 assets with their referrers in 128 s
   instead of 4 (2 cores, 2026-11). Ends with the transaction. #}
{% macro join_whole_tables() -%}
    {{ return(adapter.dispatch('join_whole_tables')()) }}
{%- endmacro %}

{% macro default__join_whole_tables() -%}
    set local enable_nestloop = off
{%- endmacro %}
