{# A hook before a model that reads its own table: adds a new column that this run already reads. Other new columns are
   added by the materialization, once the model's query is known. #}
{% macro add_column_before_self_read(name, data_type) -%}
    {%- if execute and not is_first_build() and name not in adapter.get_columns_in_relation(this) | map(attribute='name') -%}
    alter table {{ this }} add column {{ name }} {{ data_type }}
    {%- endif -%}
{%- endmacro %}

{# True when the model's table does not exist yet. Commands that do not run models are not asked: no server may answer. #}
{% macro is_first_build() -%}
    {%- if not writes_rows() -%}
        {{ return(false) }}
    {%- endif -%}
    {%- set existing = load_relation(this) -%}
    {{ return(not existing or not existing.is_table) }}
{%- endmacro %}
