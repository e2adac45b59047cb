{# One row per grain (`meta: {grain: [...]}`), also where keys are null: on Postgres a plain unique index lets the same
   group in again. And, where the grain does not begin with it, an index on the day by which rows are replaced. Views have
   none. A table as long as raw that no query looks up by its key has none either (`meta: {has_unique_index: false}`). #}
{% macro unique_grain_index() -%}
    {%- if execute and model.config.materialized == 'windowed' and model.config.meta.get('has_unique_index', true) -%}
        {%- set grain = model.config.meta['grain'] -%}
        create unique index if not exists {{ this.identifier }}_grain
        on {{ this }} ({{ grain | join(', ') }}) nulls not distinct
        {%- if grain[0] != model.config.event_time %};
        create index if not exists {{ this.identifier }}_{{ model.config.event_time }}
        on {{ this }} ({{ model.config.event_time }})
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
