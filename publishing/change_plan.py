"""Plans that are being carried out: which models change, what is still to be built, and when all of it is there.

The changed models are built day by day, as stale days are. Their rollups are built once, over all days, at the end
(publishing/swap.py). With the strategy `swap` readers keep the old version until then.
"""

from dataclasses import dataclass
from datetime import date

import psycopg

from publishing import applied_models, stale_days, stale_reasons
from publishing.model_versions import ProjectVersion
from warehouse.single_values import value_of
from warehouse.window import Window

# A build that was refused or interrupted has other rows than those that a swap may publish.
_REASONS = {"models_changed", "built_and_not_published"}


@dataclass(frozen=True, slots=True)
class Progress:
    """State of the plan that is being carried out.

    Attributes:
        models: The models that it changes, makes or removes.
        is_in_place: Whether chunks are published when they are ready.
        days_to_build: The published days that lack the new versions, or whose last build was refused.
        refused: The published days that a blocking check refuses, also the check of a rollup at the end, and days to
            build whose files cannot be loaded.
        other_code: Models that the loaded code has in another version than the plan: it has to be applied again.
    """

    models: tuple[str, ...]
    is_in_place: bool
    days_to_build: tuple[date, ...]
    refused: tuple[date, ...]
    other_code: tuple[str, ...]

    @property
    def is_ready(self) -> bool:
        """Return whether every published day has the new versions, so that they can take the place of the old ones."""
        return not self.days_to_build and not self.other_code


def apply(
    connection: psycopg.Connection,
    loaded: ProjectVersion,
    *,
    is_in_place: bool = False,
    from_date: date | None = None,
) -> bool:
    """Make the loaded versions the planned ones. Return whether any differs from what is published.

    With `from_date` older days stay as they are, but for models that they lack. A plan that is being carried out is
    replaced. Days that it has built stay built, where versions are the same.
    """
    with connection.transaction():
        if not stale_days.published_days(connection):
            applied_models.apply_at_once(connection, loaded)
            return False
        # Gives an older warehouse its applied models.
        applied_models.wanted_version(connection, loaded)
        connection.execute(
            """
            insert into ops.applied_models (model, planned_version)
            select model, version from unnest(%s::text[], %s::text[]) as loaded (model, version)
            on conflict (model) do update set planned_version = excluded.planned_version
            """,
            [list(loaded.versions), list(loaded.versions.values())],
        )
        connection.execute(
            "update ops.applied_models set planned_version = null where not model = any(%s)", [list(loaded.versions)]
        )
        connection.execute("delete from ops.applied_models where version is null and planned_version is null")
        connection.execute("delete from ops.applied_plan")
        is_changing = any(found.is_changing for found in applied_models.read(connection).values())
        if is_changing:
            connection.execute(
                "insert into ops.applied_plan (is_in_place, from_date) values (%s, %s)", [is_in_place, from_date]
            )
        stale_reasons.set_wanted_version(connection, loaded)
    return is_changing


def progress(connection: psycopg.Connection, loaded: ProjectVersion) -> Progress | None:
    """Return the state of the plan that is being carried out; None when there is none."""
    is_in_place = value_of(connection, "select is_in_place from ops.applied_plan")
    if is_in_place is None:
        return None
    models = applied_models.read(connection)
    stale = stale_days.stale_days(connection, project=loaded, before=date.max)
    published = stale_days.published_days(connection)
    to_build = {day.event_date for day in stale if _REASONS.intersection(day.reasons)} & published
    refused = stale_days.refused_days(connection) & published | stale_days.waiting_days(connection) & to_build
    return Progress(
        models=tuple(sorted(name for name, model in models.items() if model.is_changing)),
        is_in_place=is_in_place,
        days_to_build=tuple(sorted(to_build)),
        refused=tuple(sorted(refused)),
        other_code=tuple(applied_models.waiting_models(connection, loaded)),
    )


def published_window(connection: psycopg.Connection | psycopg.Cursor) -> Window | None:
    """Return the window from the first to the last published day; None when no day is published."""
    days = stale_days.published_days(connection)
    return Window(min(days), Window.day(max(days)).end) if days else None
