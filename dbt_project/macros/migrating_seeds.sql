{# Loading of a seed, called by dbt. The table is emptied and filled again, which keeps the views that read it. When the file has
   other columns than the table, the table is created again: the views are dropped with it, and the same build creates them
   further down. Nothing else reads a seed's table. #}
{% macro default__reset_csv_table(model, full_refresh, old_relation, agate_table) %}
    {%- set types = model['config']['column_types'] -%}
    {%- set table = [] -%}
    {%- for column in adapter.get_columns_in_relation(old_relation) -%}
        {%- do table.append([column.name, column.data_type]) -%}
    {%- endfor -%}
    {%- set file = [] -%}
    {%- for name in agate_table.column_names -%}
        {%- do file.append([name | string, types[name]]) -%}
    {%- endfor -%}
    {{ return(dbt.default__reset_csv_table(model, table != file, old_relation, agate_table)) }}
{% endmacro %}
