{# A hook before a model that joins most of the rows of its tables: no nested loops. Postgres expects next to no rows of the latest
   versions of the product's rows, which a window function finds, and would compare each with every other one. 30,000 assets
   with their referrers took 128 s instead of 4 s. It also expects a single conversion on a day that is new to it: 500
   conversions took 54 s instead of 0.2 s. After an ANALYZE of the partitioned tables of raw it expects a single session key:
   300,000 events took 196 s instead of 8 s (2 cores, 2026-11). Macro index_lookup_join still looks rows up by an index. The
   setting ends with the transaction. #}
{% macro disable_nested_loops() -%}
    {{ return(adapter.dispatch('disable_nested_loops')()) }}
{%- endmacro %}

{% macro default__disable_nested_loops() -%}
    set local enable_nestloop = off
{%- endmacro %}
