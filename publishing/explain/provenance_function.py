"""The SQL functions `ops.grain_of_mart` and `ops.provenance_of_days`: keys of a mart, and runs, versions and loads."""

from typing import Final

from psycopg import sql

# Loads that an answer lists at most; their number is always given.
_MAX_LOADS: Final = 100

_GRAIN_FUNCTION: Final = """
create or replace function ops.grain_of_mart(mart text) returns text[] language sql stable as $function$
    -- The unique index of the grain; views have none: their dates and texts identify a row.
    select array_agg(attname::text order by attnum)
    from pg_attribute
    where attnum > 0 and not attisdropped and (
        attrelid = to_regclass(format('marts.%I', mart || '_grain'))
        or to_regclass(format('marts.%I', mart || '_grain')) is null
            and attrelid = to_regclass(format('marts.%I', mart)) and atttypid in ('date'::regtype, 'text'::regtype)
    )
$function$;
comment on function ops.grain_of_mart is 'The columns that identify a row of a mart.';
"""

_PROVENANCE_FUNCTION: Final = """
create or replace function ops.provenance_of_days(
    model text, first_day date, last_day date, rows_of_loads jsonb default null
) returns jsonb language sql stable as $function$
    with
    published as (
        select days.*, versions.version
        from ops.published_days as days
        left join ops.model_versions as versions
            on versions.project_version = days.model_version and versions.model = provenance_of_days.model
        where days.event_date between coalesce(first_day, '-infinity') and coalesce(last_day, 'infinity')
    ),
    publications as (
        select jsonb_build_object(
            'first_day', min(event_date), 'last_day', max(event_date), 'days', count(*), 'run_id', run_id,
            'build_id', build_id, 'project_version', model_version, 'model_version', version,
            'published_at', max(published_at)
        ) as publication, min(event_date) as first_date
        from published
        group by run_id, build_id, model_version, version
    ),
    loads as (
        select loads.load_id, loads.file, loads.landing_date, loads.loaded_at,
            cast(rows_of_loads ->> loads.load_id::text as bigint) as rows
        from ops.loads as loads
        where case
            when rows_of_loads is not null then rows_of_loads ? loads.load_id::text
            else loads.replaced_by is null and exists (
                select from unnest(loads.event_dates) as day
                where day between coalesce(first_day, '-infinity') and coalesce(last_day, 'infinity')
            )
        end
    )
    select jsonb_build_object(
        'publications', coalesce((select jsonb_agg(publication order by first_date) from publications), '[]'),
        'loads_total', (select count(*) from loads),
        'loads', coalesce((
            select jsonb_agg(jsonb_strip_nulls(to_jsonb(listed)))
            from (select * from loads order by load_id limit {max_loads}) as listed
        ), '[]'),
        -- Rows below the marts are those of the last build, marts those of the last publication.
        'changed_since', coalesce((
            select jsonb_agg(distinct published.event_date)
            from published
            left join ops.built_days as built using (event_date)
            left join ops.stale_day_marks as marks using (event_date)
            where marks.event_date is not null or built.build_id <> published.build_id
        ), '[]')
    )
$function$;
comment on function ops.provenance_of_days is
    'Runs, builds and versions that published days, and the loads of their events; for ops.explain_cell.';
"""


def provenance_functions() -> sql.Composed:
    """Return the statements that create the functions."""
    return sql.SQL("\n").join(
        [sql.SQL(_GRAIN_FUNCTION), sql.SQL(_PROVENANCE_FUNCTION).format(max_loads=sql.Literal(_MAX_LOADS))]
    )
