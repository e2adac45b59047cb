{# Materialization of the models that are built window by window: delete the window, insert the window, in one transaction
   with the hooks. Rows, groups and whole days that no longer exist leave nothing behind, unlike after a merge.
   The first run creates the table, by its contract where there is one. Later runs compare the model's columns with the
   table's, delete what the run replaces by the model's scope (macros/scopes.sql), and insert it. The column with the date is
   `event_time`. Only a model whose changes are recorded is computed into a temporary table first, and compared.
   It is no strategy of dbt's own `incremental`, because a build of a small day mostly waits for the catalog: this
   materialization asks the catalog once, dbt's own seven times (dbt 1.11, 2026-11).
   There is no full refresh: the job "rebuild" drops the tables, and the next build creates them again. #}
{% materialization windowed, adapter='postgres' %}
    {%- set existing = load_cached_relation(this) -%}
    {%- set target = this.incorporate(type='table') -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {#- Of a day of a million events everything is sorted and joined in memory: it is built in two thirds of the time that
       32 MB take. Two models run at once (profiles.yml); small days use what they need (2026-11). #}
    {%- do run_query("set local work_mem = '256MB'") -%}

    {%- set built = make_temp_relation(target) -%}
    {%- set columns = columns_after_migration(built, target) if existing is not none and existing.is_table -%}
    {%- if columns -%}
        {%- set window_column = config.require('event_time') -%}
        {%- call statement('main') -%}
            {{ record_changes(target, built, window_column) }}

            delete from {{ target }} where {{ in_scope(window_column) }};

            insert into {{ target }} ({{ columns }})
            select {{ columns }} from
            {% if is_compared() -%} {{ built }} {%- else -%} ({{ sql }}) as built {%- endif %}
            {#- In the order of the unique index a row takes 0.8 us and a sixth of its WAL less (2026-11). #}
            {% if has_unique_index() -%} order by {{ model.config.meta['grain'] | join(', ') }} {%- endif -%}
        {%- endcall -%}
    {%- else -%}
        {%- set is_made_anew = existing is not none and existing.is_table -%}
        {%- if is_made_anew and not is_compared() -%}
            {#- A model may read its own table, which is about to go. -#}
            {%- do run_query('insert into ' ~ built ~ ' ' ~ sql) -%}
        {%- endif -%}
        {%- set sealed_rows = keep_sealed_rows(existing) -%}
        {{ drop_relation_if_exists(existing) }}
        {%- call statement('main') -%}
            {{ get_create_table_as_sql(False, target, 'select * from ' ~ built if is_made_anew else sql) }}
        {%- endcall -%}
        {%- do put_back_sealed_rows(sealed_rows, target) if sealed_rows -%}
    {%- endif -%}
    {%- do analyze_what_has_grown(target) -%}

    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {%- do adapter.commit() -%}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}

{# True while a plan is carried out: all days of a changed model are built again, so its table may be made anew. #}
{% macro replaces_tables() %}
    {{ return(dbt_metadata_envs.get('WAREHOUSE_REPLACES_TABLES', 'false') == 'true') }}
{% endmacro %}

{# Rows of sealed days stay when a table is made anew: no build makes them again, and later days may read them. Returns the
   temporary table that keeps them, or none. The bound of weeks and months is that of publishing/retention_bounds.py. #}
{% macro keep_sealed_rows(existing) %}
    {%- set sealed_before = dbt_metadata_envs.get('WAREHOUSE_SEALED_BEFORE') -%}
    {%- if existing is none or not existing.is_table or not sealed_before or scope_bounds(scope_of(model)) is none -%}
        {{ return(none) }}
    {%- endif -%}
    {%- set first = modules.datetime.date.fromisoformat(sealed_before) -%}
    {%- set first = {
        'day': first, 'week': first - modules.datetime.timedelta(days=first.weekday()), 'month': first.replace(day=1)
    }[scope_of(model)] -%}
    {%- set kept = existing.identifier ~ '__sealed' -%}
    {%- do run_query(
        'create temporary table ' ~ kept ~ ' on commit drop as select * from ' ~ existing
        ~ ' where ' ~ config.require('event_time') ~ " < cast('" ~ first ~ "' as date)"
    ) -%}
    {{ return(kept) }}
{% endmacro %}

{# Columns that are gone are left out, and new ones are null. #}
{% macro put_back_sealed_rows(kept, target) %}
    {%- set columns_of_both -%}
        select quote_ident(made.attname) as name, format_type(made.atttypid, made.atttypmod) as data_type
        from pg_attribute as made
        inner join pg_attribute as kept
            on made.attname = kept.attname and kept.attrelid = cast('{{ kept }}' as regclass) and kept.attnum > 0
        where made.attrelid = cast('{{ target }}' as regclass) and made.attnum > 0 and not made.attisdropped
        order by made.attnum
    {%- endset -%}
    {%- set columns, values = [], [] -%}
    {%- for name, data_type in run_query(columns_of_both).rows -%}
        {%- do columns.append(name) -%}
        {%- do values.append('cast(' ~ name ~ ' as ' ~ data_type ~ ')') -%}
    {%- endfor -%}
    {%- do run_query(
        'insert into ' ~ target ~ ' (' ~ columns | join(', ') ~ ') select ' ~ values | join(', ') ~ ' from ' ~ kept
    ) -%}
{% endmacro %}

{% macro is_compared() %}
    {{ return('records_changes' in model.config.meta) }}
{% endmacro %}

{# Statistics for the next models of the build, after a model has inserted more than a thousand rows. Without them the planner
   expects one row of a day that is newer than any it knows, where there are 50,000. A fifth of the usual sample, 6,000 rows,
   is enough and costs the same however long the table is: 0.02 to 0.1 s, where the whole sample takes up to 0.5 s
   (2026-11). #}
{% macro analyze_what_has_grown(target) %}
    {%- set has_grown -%}
        select pg_stat_get_xact_tuples_inserted(cast('{{ target }}' as regclass)) > 1000
    {%- endset -%}
    {%- if run_query(has_grown).rows[0][0] -%}
        {%- do run_query('set local default_statistics_target = 20; analyze ' ~ target) -%}
    {%- endif -%}
{% endmacro %}

{# The names of the model's columns, after the table has been migrated to them. Creates the temporary table `built`, with the
   model's rows when they are to be compared. Adds columns that the table lacks, and lets columns be null that may be null by
   now. A column that was removed or has another type stops the run: it needs a plan, which makes the table anew (the result
   is an empty text then), or the job "rebuild". #}
{% macro columns_after_migration(built, target) %}
    {%- set compute_and_compare -%}
        create temporary table {{ built }} on commit drop as
        {% if config.get('contract').enforced -%}{{ get_assert_columns_equivalent(sql) }}{%- endif %}
        (
            {{ sql }}
        ){{ ' with no data' if not is_compared() }};

        with

        built as (

            select attname, attnum, format_type(atttypid, atttypmod) as type
            from pg_attribute
            where attrelid = cast('{{ built }}' as regclass) and attnum > 0

        ),

        held as (

            select attname, format_type(atttypid, atttypmod) as type, attnotnull as is_obligatory
            from pg_attribute
            where attrelid = cast('{{ target }}' as regclass) and attnum > 0 and not attisdropped

        )

        select quote_ident(attname) as name, built.type as built_type, held.type as held_type, held.is_obligatory
        from built
        full join held using (attname)
        order by built.attnum
    {%- endset -%}
    {%- set names, changed, widened, removed, retyped = [], [], [], [], [] -%}
    {%- for name, built_type, held_type, is_obligatory in run_query(compute_and_compare).rows -%}
        {%- do (names if built_type else removed).append(name) -%}
        {%- if not held_type -%}
            {%- do changed.append('add column ' ~ name ~ ' ' ~ built_type) -%}
            {%- do widened.append(name) if name in model.config.meta.get('grain', []) -%}
        {%- elif built_type and built_type != held_type -%}
            {%- do retyped.append(name ~ ' from ' ~ held_type ~ ' to ' ~ built_type) -%}
        {%- elif built_type and is_obligatory and config.get('contract').enforced and not model.columns[name].constraints -%}
            {%- do changed.append('alter column ' ~ name ~ ' drop not null') -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if (removed or retyped) and replaces_tables() -%}
        {{ return('') }}
    {%- elif removed or retyped -%}
        {%- do exceptions.raise_compiler_error(
            'the columns of ' ~ target ~ ' changed: no longer there ' ~ removed ~ ', other types ' ~ retyped
            ~ '. Only new columns migrate by themselves; run `warehouse plan --apply`, or the job "rebuild".'
        ) -%}
    {%- endif -%}
    {%- if changed -%}
        {%- if widened -%}
            {#- An index on the old grain rejects rows that differ in the new column. The model's hook creates it again. -#}
            {%- set grain_index = target.include(database=false, identifier=false) ~ '.' ~ target.identifier ~ '_grain' -%}
            {%- do run_query('drop index if exists ' ~ grain_index) -%}
        {%- endif -%}
        {%- do run_query('alter table ' ~ target ~ ' ' ~ changed | join(', ')) -%}
    {%- endif -%}
    {{ return(names | join(', ')) }}
{% endmacro %}
