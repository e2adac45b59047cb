"""Records of builds: which build wrote a day of schema build, from which state of raw, and which one wrote the rollups.

Days lie side by side, each from its own build. Rollups (weeks, months, periods) are valid only for the window they were
built for, together with the days that were published then.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

import psycopg
from psycopg import sql

from publishing import applied_models, build_steps, invalidation, sealed_marts, stale_days
from publishing.dbt_manifest import VALUES
from publishing.model_versions import NOT_BUILT, ProjectVersion
from warehouse import retention
from warehouse.single_values import exist, value_of
from warehouse.window import Window
from warehouse.writer_lock import assert_writer

# The model whose days share sessions across midnight.
SESSIONIZED: Final = "int_events_sessionized"


def begin(
    connection: psycopg.Connection, window: Window, *, build_id: str, project: ProjectVersion
) -> stale_days.BuildPlan:
    """Record, before the first model of a build, that its days are being written from raw as it is now.

    Return the work of the build for the loaded project. Where only models have changed, the others keep their rows.
    """
    if not stale_days.published_days(connection):
        applied_models.apply_at_once(connection, project)
    plan = stale_days.plan_build(connection, window, project=project)
    version = plan.project.digest
    with connection.transaction(), connection.cursor() as cursor:
        assert_writer(cursor, build_id)
        cursor.execute(
            """
            insert into ops.built_days (event_date, build_id, change_id, model_version, is_complete)
            select %(start)s::date + n, %(build_id)s, ops.last_change_id(), %(model_version)s, false
            from generate_series(0, %(end)s::date - %(start)s::date - 1) as n
            on conflict (event_date) do update
            set build_id = excluded.build_id, change_id = excluded.change_id, model_version = excluded.model_version,
                is_complete = false, built_at = excluded.built_at
            """,
            {"build_id": build_id, "model_version": version, "start": window.start, "end": window.end},
        )
        record_last_build(
            cursor, window, build_id=build_id, model_version=version, is_rerun=plan.is_rerun, models=plan.models
        )
    return plan


def record_last_build(
    cursor: psycopg.Cursor,
    window: Window,
    *,
    build_id: str,
    model_version: str,
    is_rerun: bool = False,
    models: Sequence[str] | None = None,
) -> None:
    """Record the build whose rollups schema build will hold.

    Rollups that are updated incrementally (visitors_by_period) are rebuilt from all days when nothing outside the
    window is published, and when the last publication had another version of such a model, or left it out. A rerun is a
    build of days that nothing has changed for.
    """
    cursor.execute(
        """
        insert into ops.last_build as last (build_id, window_start, window_end, is_rerun, models, is_full_rebuild)
        select %(build_id)s, %(start)s, %(end)s, %(is_rerun)s, %(models)s,
            not exists (select from ops.published_days where not (event_date >= %(start)s and event_date < %(end)s))
            or exists (
                select from ops.model_versions as wanted
                left join ops.model_versions as before
                    on before.model = wanted.model and before.project_version = (
                        select model_version from ops.published_days order by published_at desc, event_date desc limit 1
                    )
                where wanted.project_version = %(model_version)s and wanted.is_whole
                    and wanted.version <> %(not_built)s and before.version is distinct from wanted.version
            )
        on conflict (only_row) do update
        set build_id = excluded.build_id, window_start = excluded.window_start, window_end = excluded.window_end,
            is_rerun = excluded.is_rerun, is_full_rebuild = excluded.is_full_rebuild, models = excluded.models
        """,
        {
            "build_id": build_id,
            "model_version": model_version,
            "start": window.start,
            "end": window.end,
            "is_rerun": is_rerun,
            "models": models,
            "not_built": NOT_BUILT,
        },
    )


class WindowMismatch(Exception):
    """The rollups in schema build were built for another window."""


def is_full_rebuild(cursor: psycopg.Cursor, window: Window) -> bool:
    """Return whether the last build rebuilt incremental rollups from all days.

    Raises WindowMismatch when it was for another window, or a later build has written days of this window.
    """
    is_full: bool | None = value_of(
        cursor,
        """
        select is_full_rebuild from ops.last_build as last
        where (window_start, window_end) = (%(start)s, %(end)s) and not exists (
            select from ops.built_days as built
            where built.event_date >= %(start)s and built.event_date < %(end)s and built.build_id <> last.build_id
        )
        """,
        {"start": window.start, "end": window.end},
    )
    if is_full is None:
        raise WindowMismatch(
            f"the weeks, months and periods in schema build belong to another build than that of {window}."
            " Run the whole chain for these days (job daily_refresh)"
        )
    return is_full


def dbt_variables(
    connection: psycopg.Connection, window: Window, *, build_id: str, is_rebuild: bool = False
) -> dict[str, str]:
    """Return the facts about a build that dbt models need when they are compiled, as environment variables.

    Models then need no query to be compiled, so `dbt compile` and `dbt docs` work without a warehouse.
    """
    found = connection.execute(
        """
        select is_full_rebuild, greatest(%(end)s::date - 1, (select max(metric_date) from marts.published_days
            where not (metric_date >= %(start)s and metric_date < %(end)s))),
            exists (select from ops.applied_plan)
        from ops.last_build where build_id = %(build_id)s
        """,
        {"build_id": build_id, "start": window.start, "end": window.end},
    ).fetchone()
    if found is None:
        return {}
    full_rebuild, last_day, replaces_tables = found
    return {
        "DBT_ENV_CUSTOM_ENV_WAREHOUSE_IS_FULL_REBUILD": str(full_rebuild).lower(),
        "DBT_ENV_CUSTOM_ENV_WAREHOUSE_LAST_DAY": last_day.isoformat(),
        "DBT_ENV_CUSTOM_ENV_WAREHOUSE_REPLACES_TABLES": str(replaces_tables or is_rebuild).lower(),
        **sealed_marts.dbt_variables(connection),
    }


def built_models(cursor: psycopg.Cursor) -> frozenset[str] | None:
    """Return the models that the last build has built; None for all of them."""
    models = value_of(cursor, "select models from ops.last_build")
    return None if models is None else frozenset(models)


def is_rerun(cursor: psycopg.Cursor) -> bool:
    """Return whether nothing had changed since publication when the last build began."""
    return bool(value_of(cursor, "select is_rerun from ops.last_build"))


def complete(
    connection: psycopg.Connection, window: Window, *, build_id: str, log: Callable[[str], None] = lambda _: None
) -> None:
    """Record, after the last model and test of a build, that its days may be checked and published.

    Days outside the window become stale where they depend on something that the build has changed.
    """
    left_out = applied_models.not_built(connection, window)
    if SESSIONIZED not in left_out:
        invalidation.invalidate_midnight_neighbours(connection, window)
    invalidation.invalidate_lookbacks(connection, window)
    if VALUES not in left_out:
        build_steps.refit(connection, build_id=build_id, log=log)
    with connection.transaction(), connection.cursor() as cursor:
        assert_writer(cursor, build_id)
        cursor.execute(
            "update ops.built_days set is_complete = true, built_at = clock_timestamp()"
            " where event_date >= %s and event_date < %s and build_id = %s",
            [window.start, window.end, build_id],
        )


class IncompleteRebuild(Exception):
    """A rebuild was asked for days that do not include all published ones."""


def clear(
    connection: psycopg.Connection,
    window: Window,
    tables: Iterable[tuple[str, str]],
    *,
    build_id: str,
    day_columns: Mapping[tuple[str, str], str] | None = None,
) -> None:
    """Drop the tables (schema, name) that dbt owns, so that a build of the window creates them from scratch.

    Where days are sealed, tables with a column in `day_columns` keep their rows of these days, which no build makes
    again and later days read. BI does not read these tables. Raises IncompleteRebuild, and drops nothing, when other
    days outside the window are published, which the new tables would not hold.
    """
    with connection.transaction(), connection.cursor() as cursor:
        assert_writer(cursor, build_id)
        cursor.execute(
            "select min(event_date), max(event_date) from ops.published_days where event_date >= ops.sealed_before()"
        )
        first, last = cursor.fetchone() or (None, None)
        if first is not None and not (first in window and last in window):
            raise IncompleteRebuild(
                f"a rebuild covers every published day that is not sealed, {first} to {last}, but was asked for"
                f" {window}; nothing was dropped. Choose at least these days as the range of the job"
            )
        first_unsealed = retention.sealed_before(cursor)
        for table in tables:
            column = (day_columns or {}).get(table)
            if first_unsealed and column and exist(cursor, ".".join(table)):
                statement = sql.SQL("delete from {} where {} >= %s")
                cursor.execute(statement.format(sql.Identifier(*table), sql.Identifier(column)), [first_unsealed])
                continue
            # The build creates the views over them again.
            cursor.execute(sql.SQL("drop table if exists {} cascade").format(sql.Identifier(*table)))
        cursor.execute("update ops.built_days set is_complete = false")
        # Should this run die, later changes could not be traced through dropped tables: every day stays stale.
        cursor.execute(
            """
            insert into ops.stale_day_marks (event_date, layer, reason, change_id)
            select event_date, 'events', 'rebuild', ops.last_change_id() from ops.published_days
            where event_date >= ops.sealed_before()
            on conflict (event_date, layer, reason) do update set change_id = excluded.change_id
            """
        )
