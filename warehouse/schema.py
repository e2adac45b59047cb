"""Tables and functions of schema ops that several packages share: changes, stale days, builds, publications, checks.

The load log, ops.loads, is ingestion's (ingestion/schema.py), which creates both together.
"""

from typing import Final

import psycopg

from warehouse import change_queues, retention
from warehouse.locks import AdvisoryLock
from warehouse.missing_ddl import add_columns, create_indexes, set_comments

_DDL: Final = f"""
create schema if not exists ops;

create sequence if not exists ops.change_id_seq;

create or replace function ops.last_change_id() returns bigint language sql stable
return (select case when is_called then last_value else 0 end from ops.change_id_seq);
comment on function ops.last_change_id() is
    'The last change of raw. Changes are made one at a time, so that a writer reads its own.';

do $$ begin
    -- These rows were called stale_days; that name now is the view of every reason (publishing/stale_reasons.py).
    if exists (select from pg_class where oid = to_regclass('ops.stale_days') and relkind = 'r') then
        alter table ops.stale_days rename to stale_day_marks;
        alter index ops.stale_days_pkey rename to stale_day_marks_pkey;
    end if;
end $$;
create table if not exists ops.stale_day_marks (
    event_date date not null,
    layer text not null,
    reason text not null,
    change_id bigint not null,
    recorded_at timestamptz not null default clock_timestamp(),
    primary key (event_date, layer, reason)
);

create table if not exists ops.built_days (
    event_date date primary key,
    build_id text not null,
    change_id bigint not null,
    model_version text not null,
    is_complete boolean not null,
    built_at timestamptz not null default clock_timestamp()
);

create table if not exists ops.writer (
    only_row boolean primary key default true check (only_row),
    build_id text not null
);
insert into ops.writer values (true, '') on conflict do nothing;

-- The names of assert_writer and begin_model up to November 2026.
drop function if exists ops.hold_writer();
drop function if exists ops.enter_build(text, date, date);

create or replace function ops.assert_writer() returns void
language plpgsql as $$
begin
    -- A session that names its run may write raw while that run holds the warehouse. Its row lock keeps a later run
    -- from beginning before it commits: a build must not count changes as seen that it could not see.
    if coalesce(current_setting('warehouse.build_id', true), '') <> '' then
        perform from ops.writer where build_id = current_setting('warehouse.build_id') for share;
        if not found then
            raise exception 'run % has lost the warehouse to a later run and may not write any more',
                current_setting('warehouse.build_id');
        end if;
    end if;
end
$$;

create or replace function ops.begin_model(build text, window_start date, window_end date) returns void
language plpgsql as $$
begin
    if build = '' then
        -- A model that is built by hand shares the warehouse with models built beside it, and keeps runs out.
        if not pg_try_advisory_xact_lock_shared({AdvisoryLock.WRITER}) then
            raise exception 'another run is writing the warehouse; wait until it has ended and try again';
        end if;
    else
        perform from ops.writer where build_id = build for share;
        if not found then
            raise exception 'build % has lost the warehouse to a later run and may not write any more', build;
        end if;
    end if;
    update ops.built_days set is_complete = false
    where event_date >= window_start and event_date < window_end and (build = '' or build_id <> build);
    delete from ops.last_build where build_id <> build;
end
$$;

create table if not exists ops.check_results (
    build_id text not null,
    check_name text not null,
    window_start date not null,
    window_end date not null,
    severity text not null,
    is_passed boolean not null,
    observed jsonb not null,
    bad_days date[] not null,
    change_id bigint not null default ops.last_change_id(),
    checked_at timestamptz not null default clock_timestamp(),
    covers_all_days boolean not null default false,
    primary key (build_id, check_name, window_start, window_end)
);

create table if not exists ops.check_overrides (
    event_date date not null,
    check_name text not null,
    reason text not null,
    name text not null,
    found jsonb not null,
    digest text not null,
    is_in_force boolean not null default true,
    overridden_at timestamptz not null default clock_timestamp(),
    primary key (event_date, check_name, overridden_at)
);

create table if not exists ops.published_days (
    event_date date primary key,
    build_id text not null,
    run_id text not null,
    change_id bigint not null,
    model_version text not null,
    published_at timestamptz not null default clock_timestamp()
);

create table if not exists ops.last_build (
    only_row boolean primary key default true check (only_row),
    build_id text not null,
    window_start date not null,
    window_end date not null,
    is_full_rebuild boolean not null,
    is_rerun boolean not null default false,
    models text[]
);

create table if not exists ops.published_marts (
    mart text primary key,
    last_published_date date not null,
    run_id text not null,
    published_at timestamptz not null default clock_timestamp()
);

create table if not exists ops.wanted_version (
    only_row boolean primary key default true check (only_row),
    model_version text not null,
    wanted_since timestamptz not null default clock_timestamp()
);

create table if not exists ops.model_versions (
    project_version text not null,
    model text not null,
    version text not null,
    is_whole boolean not null,
    primary key (project_version, model)
);

create table if not exists ops.applied_models (
    model text primary key,
    version text,
    planned_version text,
    mixed_since date
);

create table if not exists ops.applied_plan (
    only_row boolean primary key default true check (only_row),
    is_in_place boolean not null,
    from_date date,
    applied_at timestamptz not null default clock_timestamp()
);

create table if not exists ops.waiting_files (
    file text primary key,
    landing_date date not null,
    reason text not null,
    waiting_since timestamptz not null default clock_timestamp()
);
"""

_INDEXES: Final = {"ops.check_results_by_check": "index on ops.check_results (check_name, checked_at)"}

_COMMENTS: Final = {
    "ops.stale_day_marks": "Event days that loads and builds have marked as stale. Publication removes the marks."
    " View ops.stale_days has all reasons.",
    "ops.built_days": "Which build last wrote an event day into schema build, and up to which change of raw.",
    "ops.writer": "The build that may write the warehouse. A build that lost it gets an error.",
    "ops.check_results": "One row per check, build and window: what publication reads before it moves anything.",
    "ops.check_results.covers_all_days": "The result covers all days, whatever the window: the latest one counts for"
    " every day.",
    "ops.check_overrides": "Blocking checks that a person has overruled for a day; kept for ever.",
    "ops.check_overrides.found": "The finding of the check on the day, as it was overruled.",
    "ops.check_overrides.digest": "Digest of the finding: the override ends when the check finds anything else.",
    "ops.check_overrides.is_in_force": "The last run of the check came to this finding.",
    "ops.published_days": "Which run published an event day, from which build and up to which change of raw.",
    "ops.last_build": "The build whose rollups are in schema build: its window, whether it rebuilt them from all days,"
    " and whether nothing had changed since publication.",
    "ops.published_marts": "The last publication of each mart, and the last day that any has given it.",
    "ops.wanted_version": "The version of the models that published days shall have: that of the code which Dagster"
    " has loaded.",
    "ops.last_build.models": "The models that it built; null for all of them.",
    "ops.model_versions": "The version of each model in a version of the project (column model_version of"
    " ops.published_days and ops.built_days).",
    "ops.model_versions.is_whole": "Every run rebuilds the model as a whole, whatever its days.",
    "ops.applied_models": "The models that operators have applied. Another version in the loaded code waits for"
    " `warehouse plan --apply`.",
    "ops.applied_models.version": "The version that is published; null for a new model.",
    "ops.applied_models.planned_version": "The version that builds make; another one than the published while a plan is"
    " carried out. Null for a model that the plan removes.",
    "ops.applied_models.mixed_since": "The first day with the version, where a plan has left older days as they were.",
    "ops.applied_plan": "The plan that is being carried out: no row when there is none.",
    "ops.applied_plan.is_in_place": "Chunks are published when they are ready; else all changed marts at once, at"
    " the end.",
    "ops.applied_plan.from_date": "The first day that the plan builds; null for all published days. Older days"
    " are built only where they lack the model.",
    "ops.waiting_files": "Landing files that are complete and not loaded although a run was asked for; reason says why,"
    " and what to do.",
}


def create(cursor: psycopg.Cursor) -> None:
    """Create schema ops and its shared tables where they are missing, in the caller's transaction.

    The caller holds AdvisoryLock.RAW_DDL.
    """
    cursor.execute(_DDL)
    cursor.execute(change_queues.DDL)
    cursor.execute(retention.DDL)
    add_columns(cursor, "ops.check_results", {"covers_all_days": "boolean not null default false"})
    add_columns(cursor, "ops.last_build", {"is_rerun": "boolean not null default false", "models": "text[]"})
    create_indexes(cursor, _INDEXES)
    set_comments(cursor, _COMMENTS)
