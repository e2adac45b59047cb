{# Before a model that joins most of the rows of its tables. Of the product's rows as they are now, which a window function
   finds, Postgres expects next to none, and would compare each with every other: 30,000 assets with their referrers in 128 s
   instead of 4; of the conversions of a day that it does not know yet it expects one, and gathered the devices of all of
   them for each: 500 conversions in 54 s instead of 0.2 (2 cores, 2026-11). What is looked up by an index all the same says
   so (join_one_by_one). Ends with the transaction. #}
{% macro join_whole_tables() -%}
    {{ return(adapter.dispatch('join_whole_tables')()) }}
{%- endmacro %}

{% macro default__join_whole_tables() -%}
    set local enable_nestloop = off
{%- endmacro %}
