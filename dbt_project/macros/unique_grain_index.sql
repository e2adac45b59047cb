{# One row per grain (`meta: {grain: [...]}`), also where keys are null: on Postgres a plain unique index lets the same
   group in again. And, where the grain does not begin with it, an index on the day by which rows are replaced. A table that
   every run replaces as a whole needs none. Views have no index. A table as long as raw that no query looks up by its key
   has no unique index (`meta: {has_unique_index: false}`). #}
{% macro unique_grain_index() -%}
    {%- if execute and has_unique_index() -%}
        {%- set grain, day = model.config.meta['grain'], model.config.event_time -%}
        -- An older table may have the columns of its grain in another order.
        do $$ begin
            if (
                select array_agg(cast(attname as text) order by attnum) from pg_attribute
                where attrelid = to_regclass('{{ this.schema }}.{{ this.identifier }}_grain')
            ) <> array['{{ grain | join("', '") }}'] then
                drop index {{ this.schema }}.{{ this.identifier }}_grain;
            end if;
        end $$;
        create unique index if not exists {{ this.identifier }}_grain
        on {{ this }} ({{ grain | join(', ') }}) nulls not distinct
        {%- if scope_bounds(scope_of(model)) is none %};
        drop index if exists {{ this.schema }}.{{ this.identifier }}_{{ day }}
        {%- elif grain[0] != day %};
        create index if not exists {{ this.identifier }}_{{ day }}
        on {{ this }} ({{ day }})
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{% macro has_unique_index() -%}
    {{ return(model.config.materialized == 'windowed' and model.config.meta.get('has_unique_index', true)) }}
{%- endmacro %}
