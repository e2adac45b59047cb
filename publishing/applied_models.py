"""Applied models: the versions that operators have applied, and what they leave out of the loaded code until then.

A model waits while its loaded version is not the planned one. Builds leave it out, and days record that it is missing.
While a plan is carried out, planned and published version differ (publishing/change_plan.py). Days are then built with
the planned version, but for the rollups, which are made when every day has it.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import psycopg

from publishing.model_versions import NOT_BUILT, ProjectVersion
from warehouse.single_values import value_of
from warehouse.window import Window


class AppliedModel(NamedTuple):
    """The published version of a model (None: new), and the version that builds make (None: it is to be removed)."""

    version: str | None
    planned_version: str | None

    @property
    def is_changing(self) -> bool:
        """Return whether a plan that changes this model is being carried out."""
        return self.version != self.planned_version


def read(connection: psycopg.Connection | psycopg.Cursor) -> dict[str, AppliedModel]:
    """Return the applied models by name. Empty for a warehouse without published days, or of an older version."""
    rows = connection.execute("select model, version, planned_version from ops.applied_models").fetchall()
    return {model: AppliedModel(version, planned) for model, version, planned in rows}


def wanted_version(connection: psycopg.Connection, loaded: ProjectVersion) -> ProjectVersion:
    """Return the version that builds make: the loaded one, without the models that wait.

    Everything is applied while no day is published. A warehouse of an older version has applied what it wanted last.
    """
    if not value_of(connection, "select exists (select from ops.published_days)"):
        return loaded
    applied = read(connection)
    if not applied:
        _seed(connection, loaded)
        applied = read(connection)
    versions = {
        model: version if _is_built(model, version, applied, loaded) else NOT_BUILT
        for model, version in loaded.versions.items()
    }
    return replace(loaded, versions=versions)


def _is_built(model: str, version: str, applied: Mapping[str, AppliedModel], loaded: ProjectVersion) -> bool:
    found = applied.get(model)
    if found is None or found.planned_version != version:
        return False
    return not (found.is_changing and model in loaded.rollups)


def waiting_models(connection: psycopg.Connection, loaded: ProjectVersion) -> list[str]:
    """Return the models whose loaded version nobody has applied: changed, new and removed ones."""
    applied = read(connection)
    if not applied:
        return []
    planned = {model: found.planned_version for model, found in applied.items() if found.planned_version is not None}
    return sorted(
        model for model in planned.keys() | loaded.versions.keys() if planned.get(model) != loaded.versions.get(model)
    )


def apply_at_once(connection: psycopg.Connection, loaded: ProjectVersion) -> None:
    """Apply every model of the loaded code, without a plan. Days of other versions are stale from now on."""
    with connection.transaction():
        now = read(connection)
        if now == {model: AppliedModel(version, version) for model, version in loaded.versions.items()}:
            return
        connection.execute("delete from ops.applied_models")
        connection.execute("delete from ops.applied_plan")
        _insert(connection, loaded.versions)


def _seed(connection: psycopg.Connection, loaded: ProjectVersion) -> None:
    """Apply the version that the warehouse wanted last; where its models are unknown, the loaded one."""
    rows = connection.execute(
        "select model, version from ops.model_versions inner join ops.wanted_version on project_version = model_version"
    ).fetchall()
    _insert(connection, dict(rows) or loaded.versions)


def _insert(connection: psycopg.Connection, versions: Mapping[str, str]) -> None:
    connection.execute(
        "insert into ops.applied_models (model, version, planned_version)"
        " select model, version, version from unnest(%s::text[], %s::text[]) as applied (model, version)"
        " on conflict (model) do nothing",
        [list(versions), list(versions.values())],
    )


def not_built(connection: psycopg.Connection | psycopg.Cursor, window: Window) -> frozenset[str]:
    """Return the models that the last build of the window has left out."""
    return frozenset(model for model, version in _versions_of_build(connection, window).items() if version == NOT_BUILT)


def withheld(connection: psycopg.Connection | psycopg.Cursor, window: Window) -> frozenset[str]:
    """Return the models whose marts the publication of the last build of a window leaves as they are.

    They are not built, or a plan publishes them when every day has their new version: new marts always.
    """
    is_in_place = value_of(connection, "select is_in_place from ops.applied_plan")
    applied = read(connection)
    return frozenset(
        model
        for model, version in _versions_of_build(connection, window).items()
        if version == NOT_BUILT
        or (
            applied
            and (found := applied.get(model, AppliedModel(None, None))).version != version
            and not (is_in_place and found.planned_version == version)
        )
    )


def _versions_of_build(connection: psycopg.Connection | psycopg.Cursor, window: Window) -> dict[str, str]:
    rows = connection.execute(
        """
        select distinct versions.model, versions.version
        from ops.built_days as built
        inner join ops.model_versions as versions on versions.project_version = built.model_version
        where built.event_date >= %s and built.event_date < %s
        """,
        [window.start, window.end],
    ).fetchall()
    return dict(rows)
