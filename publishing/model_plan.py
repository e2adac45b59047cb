"""Plan of a change of code: the models that it makes stale, and on which published days."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final, NamedTuple

import psycopg

from publishing import applied_models, dbt_manifest, stale_days
from publishing.model_versions import ProjectVersion

# Measured on 2 cores, 2026-11: 60 days of 48,000 events each, in chunks of 10 days.
ROWS_A_SECOND: Final = 60_000
SECONDS_A_CHUNK: Final = 20
CHUNK_DAYS: Final = 10
# Between the nightly run and the working day.
NIGHT_SECONDS: Final = 6 * 3_600


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

    Nothing is stale before the plan is applied: wanted and applied versions are as before when this returns.
    """
    with connection.transaction(force_rollback=True):
        applied_models.apply_at_once(connection, project)
        stale = stale_days.stale_days(connection, project=project, before=date.max)
    days: dict[str, list[date]] = defaultdict(list)
    for day in stale:
        for model in day.models:
            days[model].append(day.event_date)
    rows = _rows_of_a_day(connection)
    parents = dbt_manifest.parents_of(manifest)
    planned = [
        PlannedModel(
            name,
            len(found),
            min(found),
            max(found),
            round(rows.get(name, 0) * len(found)),
            is_below=not parents[name].isdisjoint(days),
        )
        for name, found in days.items()
    ]
    return sorted(planned, key=lambda model: (model.is_below, model.name))


def seconds(models: Sequence[PlannedModel]) -> float:
    """Estimate the time to build these models, a chunk of days at a time."""
    if not models:
        return 0
    chunks = -(-max(model.days for model in models) // CHUNK_DAYS)
    return chunks * SECONDS_A_CHUNK + sum(model.rows for model in models) / ROWS_A_SECOND


def removed_marts(connection: psycopg.Connection, manifest: Mapping[str, Any]) -> list[str]:
    """Return the published marts that no model makes any more. A plan drops them."""
    models = {node["name"] for node in manifest["nodes"].values() if node["resource_type"] == "model"}
    published = connection.execute("select mart from ops.published_marts order by mart").fetchall()
    return [mart for (mart,) in published if mart not in models]


def _rows_of_a_day(connection: psycopg.Connection) -> dict[str, float]:
    """Estimate the rows of each table of a model by published day."""
    found = connection.execute(
        """
        select relname, greatest(max(reltuples), 0) / greatest((select count(*) from ops.published_days), 1)
        from pg_class where relnamespace in ('build'::regnamespace, 'intermediate'::regnamespace)
        group by relname
        """
    )
    return {name: float(rows) for name, rows in found}
