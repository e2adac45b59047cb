"""Swap of a plan: when every published day has the new versions, they take the place of the old ones at once.

The rollups are built over all published days and checked. Then one transaction moves all changed marts, makes new ones
and drops removed ones. Readers see the old version until it commits, also when a run dies in between.
"""

from collections.abc import Mapping, Sequence, Set
from datetime import date
from graphlib import TopologicalSorter
from typing import Any, Final

import psycopg
from psycopg import sql

from publishing import (
    applied_models,
    change_plan,
    freshness,
    mart_keys,
    mart_removal,
    mart_replacement,
    mart_tables,
    mart_views,
    sealed_marts,
    stale_reasons,
)
from publishing.build_steps import Partial
from publishing.dbt_manifest import parents_of, windowed_tables
from publishing.mart_locks import LOCK_SECONDS, MartsInUse
from publishing.marts import Mart, marts_of
from publishing.model_versions import ProjectVersion
from publishing.publish import MAX_COMPARED_DAYS, Publication, PublicationRefused, Replacement
from publishing.scopes import Scope
from warehouse import retention
from warehouse.roles import grants
from warehouse.roles.readers import MARTS
from warehouse.roles.row_policies import RolesMissing
from warehouse.single_values import exist, value_of
from warehouse.window import ONE_DAY, Window
from warehouse.writer_lock import assert_writer

_PREFIX: Final = "DBT_ENV_CUSTOM_ENV_WAREHOUSE"


def selection(manifest: Mapping[str, Any], progress: change_plan.Progress) -> list[tuple[str, ...]]:
    """Return the options of the dbt invocation that builds the rollups of a plan over all days; [] for none."""
    partial = Partial.of(manifest, progress.models)
    return partial.options(partial.rollups)


def dbt_variables(connection: psycopg.Connection, window: Window) -> dict[str, str]:
    """Return the facts about the build of a swap that dbt models need: it is one of all published days."""
    return {
        **sealed_marts.dbt_variables(connection),
        f"{_PREFIX}_IS_FULL_REBUILD": "true",
        f"{_PREFIX}_LAST_DAY": (window.end - ONE_DAY).isoformat(),
        f"{_PREFIX}_HAS_ALL_DAYS": "true",
        f"{_PREFIX}_REPLACES_TABLES": "true",
    }


def unsealed_window(connection: psycopg.Connection | psycopg.Cursor, window: Window) -> Window:
    """Return the days of the published window whose rows, and those of their weeks and months, a swap replaces.

    Raises PublicationRefused when all of them are sealed.
    """
    try:
        return retention.require_unsealed(window, retention.sealed_before(connection))
    except retention.SealedDays as error:
        raise PublicationRefused(f"no swap: {error}") from error


def begin(connection: psycopg.Connection, manifest: Mapping[str, Any], *, build_id: str) -> None:
    """Give schema build every published day and no other: rollups are about to be made of all that it holds.

    Other days were refused, and are built again when they are run. Sealed days are there as they are published.
    """
    first_unsealed = retention.sealed_before(connection)
    if first_unsealed:
        with connection.transaction(), connection.cursor() as cursor:
            assert_writer(cursor, build_id)
            sealed_marts.restore(cursor, marts_of(manifest), first_unsealed)
    days = [
        day
        for (day,) in connection.execute(
            "select event_date from ops.built_days where event_date not in (select event_date from ops.published_days)"
        )
    ]
    if not days:
        return
    with connection.transaction(), connection.cursor() as cursor:
        assert_writer(cursor, build_id)
        for (schema, table), column in windowed_tables(manifest, scope=Scope.DAY).items():
            if schema == "build" and exist(cursor, f"{schema}.{table}"):
                cursor.execute(
                    sql.SQL("delete from {} where {} = any(%s)").format(
                        sql.Identifier(schema, table), sql.Identifier(column)
                    ),
                    [days],
                )
        cursor.execute("update ops.built_days set is_complete = false where event_date = any(%s)", [days])


def publish(
    connection: psycopg.Connection,
    *,
    manifest: Mapping[str, Any],
    loaded: ProjectVersion,
    run_id: str,
) -> Publication:
    """Publish every changed mart for all published days, and end the plan, in one transaction.

    The rollups are built by `selection` and have passed their checks. Raises PublicationRefused, and changes nothing,
    when a published day lacks a new version, or other code is loaded.
    """
    marts = marts_of(manifest)
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("set local synchronous_commit = on")
        cursor.execute(sql.SQL("set local lock_timeout = {}").format(sql.Literal(f"{LOCK_SECONDS}s")))
        assert_writer(cursor, run_id)
        progress = change_plan.progress(connection, loaded)
        window = change_plan.published_window(cursor)
        if progress is None or window is None or not progress.is_ready:
            raise PublicationRefused("no swap: published days have become stale meanwhile, or other code is loaded")
        changed = [mart for mart in marts if mart.name in progress.models]
        rows: dict[str, int] = {}
        try:
            _move_all(cursor, marts, changed, window, rows)
            mart_views.create_views(cursor, marts)
            mart_keys.declare(cursor, marts)
            grants.revoke_surplus(cursor)
        except (mart_tables.ColumnsChanged, mart_views.ViewMissing, RolesMissing, MartsInUse) as error:
            raise PublicationRefused(f"no swap: {error}") from error
        _end(connection, loaded, parents_of(manifest))
        dropped, kept, _ = mart_removal.drop_removed(cursor, marts)
        names = [mart.name for mart in changed if mart.schema == MARTS]
        others = [mart.name for mart in marts if mart.name not in names]
        freshness.record(cursor, names, window, run_id=run_id, kept=[*others, *kept])
    return Publication(rows, dropped, kept, [], None)


def _move_all(
    cursor: psycopg.Cursor, marts: Sequence[Mart], changed: Sequence[Mart], window: Window, rows: dict[str, int]
) -> None:
    """Move the rows of the changed marts, and count them in `rows`. Whatever takes long comes before readers wait."""
    tables = [mart for mart in changed if not mart.is_view]
    missing = mart_replacement.missing(cursor, tables)
    mart_tables.migrate_tables(cursor, missing, window)
    columns_changed = mart_tables.changed_columns(cursor, tables)
    drafts = mart_replacement.replaceable(cursor, [mart for mart in tables if mart.name in columns_changed])
    late = [mart for mart in tables if mart.name in columns_changed and mart not in drafts]
    for mart in tables:
        if mart.name not in columns_changed:
            rows[mart.name] = _move(cursor, mart, unsealed_window(cursor, window))
    for mart in drafts:
        rows[mart.name] = mart_replacement.fill_draft(cursor, mart, window)
    late += mart_replacement.put_in_place(cursor, marts, drafts)
    mart_tables.migrate_tables(cursor, marts, window)
    for mart in late:
        rows[mart.name] = Replacement(mart, window, is_full_rebuild=True).apply(cursor)


def _move(cursor: psycopg.Cursor, mart: Mart, window: Window) -> int:
    """Replace the rows of a mart, day by day where days that come out equal can stay. Return the rows inserted."""
    if mart.scope is not Scope.DAY:
        return Replacement(mart, window, is_full_rebuild=True).apply(cursor)
    rows = 0
    for part in window.chunks(MAX_COMPARED_DAYS):
        replacement = Replacement(mart, part, is_full_rebuild=True)
        rows += replacement.apply(cursor, replacement.changed_days(cursor))
    return rows


def _end(connection: psycopg.Connection, loaded: ProjectVersion, parents: Mapping[str, Set[str]]) -> None:
    # Older days keep what they were published with.
    from_date = value_of(
        connection,
        """
        select greatest(from_date, (
            select sealed_before from ops.retention
            where exists (select from ops.published_days where event_date < sealed_before)
        ))
        from ops.applied_plan
        """,
    )
    changing = {name for name, model in applied_models.read(connection).items() if model.is_changing}
    since: dict[str, date | None] = dict(
        connection.execute("select model, mixed_since from ops.applied_models").fetchall()
    )
    # A model that reads mixed days has mixed days.
    for model in TopologicalSorter(parents).static_order():
        own = from_date if model in changing else since.get(model)
        above = [since.get(parent) for parent in parents.get(model, ())]
        since[model] = max((day for day in (own, *above) if day), default=None)
    connection.execute("delete from ops.applied_models where planned_version is null")
    connection.execute(
        """
        update ops.applied_models as applied set version = planned_version, mixed_since = since.mixed_since
        from unnest(%s::text[], %s::date[]) as since (model, mixed_since)
        where applied.model = since.model
        """,
        [list(since), list(since.values())],
    )
    connection.execute("delete from ops.applied_plan")
    wanted = stale_reasons.set_wanted_version(connection, loaded)
    connection.execute("update ops.published_days set model_version = %s", [wanted.digest])


def models_built_last(manifest: Mapping[str, Any], progress: change_plan.Progress) -> Set[str]:
    """Return the models whose checks have to wait for the swap: its rollups."""
    return Partial.of(manifest, progress.models).rollups & set(progress.models)
