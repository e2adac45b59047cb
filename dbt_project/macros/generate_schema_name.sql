{# Schemas are named by what they hold, in every target: staging, intermediate, build. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}
