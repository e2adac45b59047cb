{# Before a model that joins most of the rows of its tables. Of the product's rows as they are now, which a window function
   finds, Postgres expects next to none, and would compare each with every other: 30,000 assets with their referrers in 128 s
   instead of 4; of the conversions of a day that it does not know yet it expects one, and gathered the devices of all of
   them for each: 500 conversions in 54 s instead of 0.2 (2 cores, 2026-11). What is looked up by an index all the same says
   so (index_lookup_join). Ends with the transaction. #}
{% macro disable_nested_loops() -%}
    {{ return(adapter.dispatch('disable_nested_loops')()) }}
{%- endmacro %}

{% macro default__disable_nested_loops() -%}
    set local enable_nestloop = off
{%- endmacro %}
