{# Schemas are named by what they hold, in every target: staging, intermediate, build. Target marts is for the semantic layer,
   which reads what is published. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {%- if target.name == 'marts' and custom_schema_name == 'build' -%}
    marts
    {%- else -%}
    {{ (custom_schema_name or target.schema) | trim }}
    {%- endif -%}
{%- endmacro %}
