{# One row per grain (`meta: {grain: [...]}`), also where keys are null: on Postgres a plain unique index lets the same
   group in again. Views have none. #}
{% macro unique_grain_index() -%}
    {%- if execute and model.config.materialized == 'incremental' -%}
        create unique index if not exists {{ this.identifier }}_grain
        on {{ this }} ({{ model.config.meta['grain'] | join(', ') }}) nulls not distinct
    {%- endif -%}
{%- endmacro %}
