{# Before a model that reads what it wrote before: a column that is new and that it would read already. Other new columns are
   added when the model's query is known. #}
{% macro add_column_that_is_read_back(name, data_type) -%}
    {%- if execute and is_incremental() and name not in adapter.get_columns_in_relation(this) | map(attribute='name') -%}
    alter table {{ this }} add column {{ name }} {{ data_type }}
    {%- endif -%}
{%- endmacro %}
