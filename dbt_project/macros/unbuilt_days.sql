{# Days before the window of which the models do not hold what raw says: never built, changed since, left by a build that
   did not end well, or built by other models than this build's. A model that looks back reads these from staging, so
   that the order in which days are built changes nothing. There are few: the chunks of a run count as built as it goes,
   and only after a change of the models are they all that came before. #}
{% macro unbuilt_days() -%}
    {%- if not execute -%}
        {{ return([]) }}
    {%- endif -%}
    {%- set build_id = dbt_metadata_envs.get('WAREHOUSE_BUILD_ID', '') -%}
    {%- set query -%}
        with

        unbuilt as (

            select stale.event_date
            from ops.stale_days as stale
            left join ops.built_days as built
                on
                    stale.event_date = built.event_date
                    and stale.change_id <= built.change_id
                    and (built.is_complete or built.build_id = '{{ build_id }}')
            where stale.reason = 'events_changed' and built.event_date is null
            union
            select event_date
            from ops.built_days
            where not is_complete and build_id <> '{{ build_id }}'
            union
            select built.event_date
            from ops.built_days as built
            inner join ops.built_days as this_build
                on built.model_version <> this_build.model_version
            where
                this_build.build_id = '{{ build_id }}'
                and this_build.event_date = {{ window_start() }}

        )

        select event_date
        from unbuilt
        where event_date < {{ window_start() }}
        order by event_date
    {%- endset -%}
    {{ return(run_query(query).columns[0].values() | map('string') | list) }}
{%- endmacro %}

{# Whether a date column is one of these days. Literals, so that partitions are pruned when the query is planned. #}
{% macro in_days(column, days) -%}
    {%- if days -%}
        {{ column }} in (
            {%- for day in days %}cast('{{ day }}' as date){{ ', ' if not loop.last }}{% endfor -%}
        )
    {%- else -%}
        false
    {%- endif -%}
{%- endmacro %}
