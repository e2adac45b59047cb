"""Stale days: event days whose published numbers may differ from raw as it is now.

A load marks the days whose events it changed. Changes of a license's asset, and of the days on which an asset is owned
or licensed, wait in ops.changed_licenses and ops.changed_terms; here they become stale days. Days that a rebuilt day
makes stale are in publishing/invalidation.py.
"""

from collections.abc import Iterable, Set
from dataclasses import dataclass
from datetime import date
from typing import Final, NamedTuple

import psycopg

from publishing import stale_reasons
from publishing.dbt_manifest import VALUES
from publishing.model_versions import ProjectVersion
from warehouse.single_values import exist
from warehouse.window import ONE_DAY, Window

_QUEUES: Final = {
    "license_changed": (
        "ops.changed_licenses",
        "intermediate.int_events_attributed",
        """
        select distinct events.event_date
        from ops.changed_licenses as changed
        inner join intermediate.int_events_attributed as events
            on events.license_id = changed.license_id and events.has_only_license
        """,
    ),
    # A day has no row of an asset without an event, whatever the terms.
    "term_changed": (
        "ops.changed_terms",
        "build.daily_metrics",
        """
        select distinct built.event_date
        from ops.changed_terms as changed
        inner join ops.built_days as built on built.event_date <@ changed.days
        inner join build.daily_metrics as metrics
            on metrics.metric_date = built.event_date and metrics.ip_asset_id = changed.ip_asset_id
        """,
    ),
}


def mark_stale_days(connection: psycopg.Connection) -> dict[str, int]:
    """Turn queued changes of loads into stale days, in one transaction. Return the number of days marked, by reason.

    Run it while holding the warehouse, after loading and before reading stale days.
    """
    marked = {}
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("select ops.assert_writer()")
        for reason, (queue, table, affected) in _QUEUES.items():
            if exist(cursor, table):
                cursor.execute(
                    f"""
                    insert into ops.stale_day_marks (event_date, layer, reason, change_id)
                    select affected.event_date, 'events', %s, nextval('ops.change_id_seq')
                    from ({affected}) as affected
                    on conflict (event_date, layer, reason) do update
                    set change_id = excluded.change_id, recorded_at = excluded.recorded_at
                    """,
                    [reason],
                )
                marked[reason] = cursor.rowcount
            # Where nothing was built nothing can be stale; a rebuild marks all days before it drops tables.
            cursor.execute(f"delete from {queue}")
    return marked


@dataclass(frozen=True, slots=True)
class StaleDay:
    """An event day that has to be built again, why, and since which change of raw.

    `models` are those whose version has changed; other reasons make all models stale.
    """

    event_date: date
    reasons: tuple[str, ...]
    change_id: int
    models: tuple[str, ...]


def stale_days(connection: psycopg.Connection, *, project: ProjectVersion, before: date) -> list[StaleDay]:
    """Return the days before `before` that have to be run again for this loaded project, oldest first.

    Models that wait for a plan make no day stale.

    Every run replaces the marts of the product's tables as a whole. When these tables have changed since the last
    publication, the last published day is stale.
    """
    stale_reasons.set_wanted_version(connection, project)
    rows = connection.execute(
        """
        select event_date, array_agg(distinct reason order by reason), max(change_id),
            coalesce(max(models) filter (where reason = 'models_changed'), '{}')
        from ops.stale_days
        where event_date < %s
        group by event_date
        order by event_date
        """,
        [before],
    )
    return [StaleDay(day, tuple(reasons), change_id, tuple(models)) for day, reasons, change_id, models in rows]


class BuildPlan(NamedTuple):
    """Work of a build.

    Attributes:
        project: The version that the build makes: the loaded project without the models that wait.
        is_rerun: Whether nothing has changed since publication.
        models: The models to build; None for all of them.
    """

    project: ProjectVersion
    is_rerun: bool
    models: list[str] | None


def plan_build(connection: psycopg.Connection, window: Window, *, project: ProjectVersion) -> BuildPlan:
    """Return the work of a build of the window for a loaded project.

    If no published day is stale, a build of published days gives the published rows, and is made whole, as asked. If
    nothing but models has changed, the rows of all other models stay. Models that wait for a plan are never built.
    """
    wanted = stale_reasons.set_wanted_version(connection, project)
    built = sorted(wanted.versions.keys() - wanted.not_built) if wanted.not_built else None
    published = published_days(connection)
    if not published.issuperset(window.days()):
        return BuildPlan(wanted, is_rerun=False, models=built)
    stale = stale_days(connection, project=project, before=max(published) + ONE_DAY)
    # A day that was never published is in no published row.
    is_rerun = all(day.reasons == ("never_run",) and day.event_date not in published for day in stale)
    in_window = [day for day in stale if day.event_date in window]
    models = {model for day in in_window for model in day.models}
    # Fits are made between two parts of a build of all models.
    if not models or VALUES in models or any(day.reasons != ("models_changed",) for day in in_window):
        return BuildPlan(wanted, is_rerun, built)
    return BuildPlan(wanted, is_rerun, sorted(models | _changed_views(connection, wanted)))


def _changed_views(connection: psycopg.Connection, wanted: ProjectVersion) -> set[str]:
    """Return the models without days of their own that some day has read in another version: views, most of them.

    Only the last day is stale for them, but a build of any other day reads them too.
    """
    rows = connection.execute("select project_version, model, version from ops.model_versions where is_whole")
    known: dict[str, dict[str, str]] = {}
    for project_version, model, version in rows.fetchall():
        known.setdefault(project_version, {})[model] = version
    return {
        model
        for model in wanted.whole - wanted.rollups - wanted.not_built
        if any(versions.get(model) != wanted.versions[model] for versions in known.values())
    }


def published_days(connection: psycopg.Connection | psycopg.Cursor) -> set[date]:
    """Return all published days."""
    return {day for (day,) in connection.execute("select event_date from ops.published_days").fetchall()}


def waiting_days(connection: psycopg.Connection) -> set[date]:
    """Return the landing days with files that no run has loaded. Their runs may fail because of these files.

    Sealed days are left out: they are not run.
    """
    rows = connection.execute("select landing_date from ops.waiting_files where landing_date >= ops.sealed_before()")
    return {day for (day,) in rows}


def refused_days(connection: psycopg.Connection) -> set[date]:
    """Return the days whose last result of a blocking check is a failure."""
    rows = connection.execute("select distinct unnest(failing_days) from ops.check_states where severity = 'error'")
    return {day for (day,) in rows}


def plan_windows(days: Iterable[date], *, apart: Set[date], at_most: int) -> list[Window]:
    """Return the windows to run for these days, oldest first: as few as possible, each of at most `at_most` days.

    Days in `apart` get a window each.
    """
    wanted = set(days)
    alone = [Window.day(day) for day in wanted & apart]
    together = [chunk for window in windows_of(wanted - apart) for chunk in window.chunks(at_most)]
    return sorted(alone + together)


def windows_of(days: Iterable[date]) -> list[Window]:
    """Return the fewest windows that hold these days and no others, oldest first."""
    result: list[Window] = []
    for day in sorted(set(days)):
        if result and result[-1].end == day:
            result[-1] = Window(result[-1].start, day + ONE_DAY)
        else:
            result.append(Window.day(day))
    return result
