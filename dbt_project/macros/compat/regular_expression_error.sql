{# The error of a regular expression in the engine's words; null for a valid one. #}
{% macro regular_expression_error(column) -%}
    {{ return(adapter.dispatch('regular_expression_error')(column)) }}
{%- endmacro %}

{# Only a function can catch what Postgres throws; this one goes with the session. #}
{% macro default__regular_expression_error(column) -%}
    {%- if writes_rows() -%}
        {%- do run_query("
            create or replace function pg_temp.regular_expression_error(pattern text) returns text language plpgsql as $$
            begin
                perform '' ~* pattern;
                return null;
            exception when invalid_regular_expression then
                return sqlerrm;
            end $$
        ") -%}
    {%- endif -%}
    pg_temp.regular_expression_error({{ column }})
{%- endmacro %}
