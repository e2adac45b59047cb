{# Scopes: the part of a mart that a run replaces, and the days that weekly, monthly and period marts read.
   `meta: {scope: ...}`, by default day:
     day       the days of the window
     week      the ISO weeks (by their Monday) that the window touches, and the week after them: its growth looks back
     month     the months (by their first day), likewise
     snapshot  everything
     keys      the rows of the keys that the model selects; the build holds these alone, and one without a date goes
   Publication replaces the same: publishing/scopes.py. #}

{# The first date and the date after the last that a run replaces; also the days that make them up. None for all dates. #}
{% macro scope_bounds(scope) -%}
    {%- set days = modules.datetime.timedelta -%}
    {%- set start = modules.datetime.date.fromisoformat(window_bound('start')) -%}
    {%- set last = modules.datetime.date.fromisoformat(window_bound('end')) - days(days=1) -%}
    {%- if scope == 'day' -%}
        {{ return([start, last + days(days=1)]) }}
    {%- elif scope == 'week' -%}
        {{ return([start - days(days=start.weekday()), last - days(days=last.weekday()) + days(days=14)]) }}
    {%- elif scope == 'month' -%}
        {%- set after = (last.replace(day=1) + days(days=31)).replace(day=1) -%}
        {{ return([start.replace(day=1), (after + days(days=31)).replace(day=1)]) }}
    {%- elif scope in ['snapshot', 'keys'] -%}
        {{ return(none) }}
    {%- endif -%}
    {%- do exceptions.raise_compiler_error('meta.scope of ' ~ model.name ~ ' is ' ~ scope ~ '; see macros/scopes.sql') -%}
{%- endmacro %}

{% macro scope_of(node) -%}
    {{ return(node.config.get('meta', {}).get('scope', 'day')) }}
{%- endmacro %}

{# True for dates that the run replaces in this model, and for days that make them up. Literals, as in in_window. A unit test has
   no window: its rows are all in scope. #}
{% macro in_scope(column, scope=none) -%}
    {%- set scope = scope or scope_of(model) -%}
    {%- set bounds = scope_bounds(scope) if execute and not is_unit_test() else none -%}
    {%- if bounds -%}
    ({{ column }} >= cast('{{ bounds[0] }}' as date) and {{ column }} < cast('{{ bounds[1] }}' as date))
    {%- else -%}
    true
    {%- endif -%}
{%- endmacro %}

{# True for rows of the week or month before the first one that the run replaces. False in a unit test. #}
{% macro in_previous_period(column) -%}
    {%- if execute and not is_unit_test() -%}
    {%- set first = scope_bounds(scope_of(model))[0] -%}
    {%- set before = first - modules.datetime.timedelta(days=1) -%}
    {{ column }} = cast('{{ before - modules.datetime.timedelta(days=before.weekday()) if scope_of(model) == 'week'
        else before.replace(day=1) }}' as date)
    {%- else -%}
    false
    {%- endif -%}
{%- endmacro %}

{% macro is_unit_test() -%}
    {{ return(model is defined and model.resource_type == 'unit_test') }}
{%- endmacro %}

{# Retention: weeks whose days may be gone (publishing/retention_bounds.py). A full rebuild counts no visitors of these: their
   rows stay as they are published. Python says from which Monday on all days are there, where days are sealed. #}
{% macro first_whole_week() -%}
    {%- if execute and not is_unit_test() and is_full_rebuild() -%}
    {{ return(dbt_metadata_envs.get('WAREHOUSE_FIRST_WHOLE_WEEK')) }}
    {%- endif -%}
    {{ return(none) }}
{%- endmacro %}

{# True for days of weeks that are counted again. #}
{% macro is_in_whole_week(column) -%}
    {%- set first = first_whole_week() -%}
    {{ column ~ " >= cast('" ~ first ~ "' as date)" if first else 'true' }}
{%- endmacro %}

{# A weekly mart as it is published, of the weeks that are not counted again; else empty. #}
{% macro published_weeks_not_whole(mart, column) -%}
    {%- set first = first_whole_week() -%}
    {%- if first -%}
    {%- set node = mart_node(mart) -%}
    (select {{ mart_columns(node) }} from {{ published_table(node) }} where {{ column }} < cast('{{ first }}' as date)) as {{ mart }}
    {%- else -%}
    (select * from {{ published(mart) }} where false) as {{ mart }}
    {%- endif -%}
{%- endmacro %}

{# A mart as it will be when this run is published: what the run replaces as it is built, the rest as it is published. A
   day that was built and not published, because a check holds it back, is not in it. #}
{% macro current_version(mart) -%}
    {%- set built = ref(mart) -%}
    {%- if execute and not is_unit_test() -%}
    {%- set node = mart_node(mart) -%}
    {#- At the end of a plan the days of the window are those that are not sealed, and schema build has the sealed ones too. -#}
    {%- set is_built = 'true' if has_all_days() else in_scope(node.config.event_time, scope_of(node)) -%}
    (
        select {{ mart_columns(node) }} from {{ built }} where {{ is_built }}
        {%- if not has_all_days() %}
        union all
        select {{ mart_columns(node) }} from {{ published_table(node) }} where not {{ is_built }}
        {%- endif %}
    ) as {{ mart }}
    {%- else -%}
    {{ built }}
    {%- endif -%}
{%- endmacro %}

{# A mart as it is published, whatever this run builds: the model's own, or one that it also reads by ref or
   current_version, which dbt has to know. In a unit test it is empty. #}
{% macro published(mart) -%}
    {%- if not execute -%}
    {{ this }}
    {%- elif is_unit_test() -%}
    {%- set table = adapter.get_relation(target.database, 'marts', mart) or adapter.get_relation(target.database, 'rollups', mart) -%}
    (select * from {{ table }} where false) as {{ mart }}
    {%- elif has_all_days() -%}
    (select {{ mart_columns(mart_node(mart), values='null') }} where false) as {{ mart }}
    {%- else -%}
    {%- set node = mart_node(mart) -%}
    (select {{ mart_columns(node) }} from {{ published_table(node) }}) as {{ mart }}
    {%- endif -%}
{%- endmacro %}

{# A mart as the previous publication left it, for incremental models. Empty on a full rebuild (publishing/builds.py says
   when that is). #}
{% macro previously_published(mart) -%}
    {%- if execute and not is_unit_test() and is_full_rebuild() -%}
    (select {{ mart_columns(mart_node(mart), values='null') }} where false) as {{ mart }}
    {%- else -%}
    {{ published(mart) }}
    {%- endif -%}
{%- endmacro %}

{# True for days that an incremental run looks at: those that it replaces in a mart of this scope. On a full rebuild, true for
   every day. #}
{% macro in_scope_or_full_rebuild(column, scope) -%}
    {%- if execute and (is_unit_test() or is_full_rebuild()) -%}
    true
    {%- else -%}
    {{ in_scope(column, scope) }}
    {%- endif -%}
{%- endmacro %}

{# The week or month before those that a weekly or monthly mart replaces, as it is published: rows of the first one are compared
   with it. At the end of a plan there is one where the days before are sealed, and only its measures are sure to be there. #}
{% macro published_period_before(mart, columns) -%}
    {%- if execute and not is_unit_test() and has_all_days() and dbt_metadata_envs.get('WAREHOUSE_SEALED_BEFORE') -%}
    (select {{ columns | join(', ') }} from {{ published_table(mart_node(mart)) }}) as {{ mart }}
    {%- else -%}
    {{ published(mart) }}
    {%- endif -%}
{%- endmacro %}

{# True when this run makes from scratch what is otherwise made incrementally from the previous publication. Python says so
   (publishing/builds.py). Models that are built by hand always do: no record says what they may go on from. #}
{% macro is_full_rebuild() -%}
    {{ return(dbt_metadata_envs.get('WAREHOUSE_IS_FULL_REBUILD', 'true') != 'false') }}
{%- endmacro %}

{# True when schema build has every day that will be published, in the versions of this project, and the published tables do
   not count: at the end of a plan (publishing/swap.py). #}
{% macro has_all_days() -%}
    {{ return(dbt_metadata_envs.get('WAREHOUSE_HAS_ALL_DAYS', 'false') == 'true') }}
{%- endmacro %}

{% macro mart_node(mart) -%}
    {{ return(graph.nodes['model.' ~ model.package_name ~ '.' ~ mart]) }}
{%- endmacro %}

{# The columns of a mart's contract with their types, or `values` in place of each. #}
{% macro mart_columns(node, values=none) -%}
    {%- set columns = [] -%}
    {%- for column in node.columns.values() -%}
        {%- do columns.append('cast(' ~ (values or column.name) ~ ' as ' ~ column.data_type ~ ') as ' ~ column.name) -%}
    {%- endfor -%}
    {{ return(columns | join(', ')) }}
{%- endmacro %}

{% macro published_table(node) -%}
    {{ return(api.Relation.create(
        database=this.database, schema='marts' if node.access == 'public' else 'rollups', identifier=node.name
    )) }}
{%- endmacro %}

