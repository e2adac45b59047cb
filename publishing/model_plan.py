"""Plan of a change of code: the models that it makes stale, and on which published days."""

from collections.abc import Mapping, Set
from datetime import date
from typing import Any, NamedTuple

import psycopg

from publishing.model_versions import ProjectVersion


class PlannedModel(NamedTuple):
    """A model that published days have in another version.

    Attributes:
        days: How many published days have to be built again. Of a model that every run makes as a whole only the last.
        rows: How many rows that is, estimated by the size of the table.
        is_below: A model above it has changed, and perhaps nothing of its own.
    """

    name: str
    days: int
    first_day: date
    last_day: date
    rows: int
    is_below: bool


def plan(connection: psycopg.Connection, manifest: Mapping[str, Any], project: ProjectVersion) -> list[PlannedModel]:
    """Return the models that a version of the project makes stale, those that changed themselves first.

    Reads alone: nothing is stale before Dagster loads the project.
    """
    found = connection.execute(
        """
        with wanted as (
            select * from unnest(%s::text[], %s::text[], %s::boolean[]) as models(model, version, is_whole)
        ),
        published as (
            select event_date, model_version, max(event_date) over () as last_day, count(*) over () as days
            from ops.published_days
        ),
        sizes as (
            select relname as model, max(reltuples)::bigint as rows
            from pg_class where relnamespace in ('build'::regnamespace, 'intermediate'::regnamespace)
            group by relname
        )
        select wanted.model, count(*), min(published.event_date), max(published.event_date),
            coalesce(max(greatest(sizes.rows, 0)) * count(*) / max(published.days), 0)::bigint
        from published
        cross join wanted
        left join ops.model_versions as built
            on built.project_version = published.model_version and built.model = wanted.model
        left join sizes on sizes.model = wanted.model
        where built.version is distinct from wanted.version
            and (not wanted.is_whole or published.event_date = published.last_day)
        group by wanted.model
        """,
        [
            list(project.versions),
            list(project.versions.values()),
            [model in project.whole for model in project.versions],
        ],
    ).fetchall()
    stale = {name for name, *_ in found}
    planned = [
        PlannedModel(name, days, first, last, rows, is_below=bool(_parents(manifest, name) & stale))
        for name, days, first, last, rows in found
    ]
    return sorted(planned, key=lambda model: (model.is_below, model.name))


def removed_marts(connection: psycopg.Connection, manifest: Mapping[str, Any]) -> list[str]:
    """Return the published marts that no model makes any more. The next publication drops them."""
    models = {node["name"] for node in manifest["nodes"].values() if node["resource_type"] == "model"}
    published = connection.execute("select mart from ops.published_marts order by mart").fetchall()
    return [mart for (mart,) in published if mart not in models]


def _parents(manifest: Mapping[str, Any], model: str) -> Set[str]:
    node = next((node for node in manifest["nodes"].values() if node["name"] == model), None)
    return {parent.rpartition(".")[2] for parent in node["depends_on"]["nodes"]} if node else set()
