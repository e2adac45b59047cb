"""The SQL functions that other explanations call: keys of a mart, source events, and runs, versions and loads."""

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

# The days are given as values when the query is planned, so that no other partition is read.
_SOURCES_FUNCTION: Final = """
create or replace function ops.source_events(event_dates date[], event_ids uuid[]) returns table (
    event_id uuid, event_date date, event_type text, occurred_at timestamptz, load_id bigint, file text,
    line_number bigint, line_position integer, carried jsonb
) language plpgsql stable as $function$
begin
    return query execute $query$
        select events.event_id, events.event_date, events.event_type, events.occurred_at, events.load_id, loads.file,
            events.line_number, events.line_position, jsonb_strip_nulls(jsonb_build_object(
                'utm_source', utm_source_normalized, 'utm_medium', utm_medium_normalized,
                'utm_campaign', utm_campaign_normalized, 'utm_term', utm_term, 'utm_content', utm_content,
                'referrer', referrer, 'landing_page', landing_page,
                'click_ids', (
                    select jsonb_agg(click_ids.click_id order by click_ids.priority)
                    from staging.click_ids as click_ids
                    where to_jsonb(attribution) ->> click_ids.click_id is not null
                )
            ))
        from raw.events as events
        left join ops.loads as loads using (load_id)
        left join raw.attribution as attribution
            on attribution.event_date = events.event_date and attribution.event_key = events.event_key
                and attribution.event_date = any($1)
        where events.event_date = any($1) and events.event_id = any($2)
    $query$ using event_dates, event_ids;
end
$function$;
comment on function ops.source_events is
    'Events by day and id: landing file and line, and the attribution that they carried.';
"""


def provenance_functions() -> sql.Composed:
    """Return the statements that create the functions."""
    provenance = sql.SQL(_PROVENANCE_FUNCTION).format(max_loads=sql.Literal(_MAX_LOADS))
    return sql.SQL("\n").join([sql.SQL(_GRAIN_FUNCTION), sql.SQL(_SOURCES_FUNCTION), provenance])
