{# The incremental strategy of every windowed model: delete what the run replaces by the model's scope (the window, or the
   weeks around it, or everything), insert it anew, one transaction. Unlike a merge it leaves nothing behind of rows, groups
   and whole days that are gone. The column with the date is `event_time`. #}

{% macro get_incremental_replace_window_sql(arg_dict) %}
    {%- set target = arg_dict['target_relation'] -%}
    {%- set source = arg_dict['temp_relation'] -%}
    {%- set column = config.require('event_time') -%}
    {%- do refuse_other_schema_changes(source, target) -%}
    {%- set columns = get_quoted_csv(adapter.get_columns_in_relation(source) | map(attribute='name')) -%}

    {{ record_changes(target, source, column) }}

    delete from {{ target }} where {{ in_scope(column) }};

    insert into {{ target }} ({{ columns }})
    select {{ columns }} from {{ source }};
{% endmacro %}

{# What a rebuilt window says otherwise than before, for the later days that looked back at it: one row per day and value of
   `keys`, of the rows that are new or gone when only the columns `compared` are looked at (the day and the keys among
   them). `meta: {records_changes: {table: ..., keys: [...], compared: [...]}}`. While no later day is built and no later
   week is fitted nobody has looked, and nothing is compared. #}
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

{# New columns were added before this runs; a column that is gone or has another type is no job for a nightly run. #}
{% macro refuse_other_schema_changes(source, target) %}
    {%- set changes = check_for_schema_changes(source, target) -%}
    {%- if changes['target_not_in_source'] or changes['new_target_types'] -%}
        {%- do exceptions.raise_compiler_error(
            'the columns of ' ~ target ~ ' changed: no longer there ' ~ changes['target_not_in_source'] | map(attribute='name') | list
            ~ ', other types ' ~ changes['new_target_types']
            ~ '. Only new columns migrate by themselves; run the job "rebuild" to build this table anew.'
        ) -%}
    {%- endif -%}
{% endmacro %}

{# Runs first in the transaction of every windowed model: refuses a build that has lost the warehouse to a later one
   (a child process that outlived its run), and marks the window as not complete until its build says otherwise. #}
{% macro begin_model() %}
    {%- if execute and model.config.materialized == 'incremental' -%}
    select ops.begin_model('{{ dbt_metadata_envs.get("WAREHOUSE_BUILD_ID", "") }}', {{ window_start() }}, {{ window_end() }})
    {%- endif -%}
{% endmacro %}
