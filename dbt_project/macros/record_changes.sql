{# SQL that records which keys of a rebuilt window have changed, because later days looked back at it. Each changed day and
   value of `keys` is one row of the table. A row has changed when it is new or deleted, by the day, the keys and the columns
   `compared`. `meta: {records_changes: {table: ..., keys: [...], compared: [...]}}`. Nothing is compared while no later day
   is built and no later week is fitted: nothing has looked back yet. #}
{% macro record_changes(target, source, column) %}
    {%- set recorded = model.config.meta.get('records_changes') -%}
    {%- if recorded -%}
    {%- set compared = [column] + recorded['keys'] + recorded.get('compared', []) | list -%}
    insert into {{ recorded['table'] }} ({{ ([column] + recorded['keys']) | join(', ') }})
    select distinct {{ ([column] + recorded['keys']) | join(', ') }}
    from (
        (
            select {{ compared | join(', ') }} from {{ target }} where {{ in_window(column) }}
            except
            select {{ compared | join(', ') }} from {{ source }}
        )
        union all
        (
            select {{ compared | join(', ') }} from {{ source }}
            except
            select {{ compared | join(', ') }} from {{ target }} where {{ in_window(column) }}
        )
    ) as changed
    where
        exists (select from ops.built_days where event_date >= {{ window_end() }})
        or exists (select from ops.attribution_fits where week_start > {{ window_start() }});
    {%- endif -%}
{% endmacro %}
