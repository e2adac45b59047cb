"""Every reason for a stale day: the query of view `ops.stale_days`.

The view takes the wanted version of the models from `ops.wanted_version`. The sensor, runs, operators and
`marts.data_freshness` therefore all get the same answer.
"""

from typing import Final

import psycopg

from ingestion.application.schema import TABLES
from publishing import applied_models
from publishing.model_versions import NOT_BUILT, ProjectVersion
from warehouse.retention import SEALED_BEFORE
from warehouse.single_values import value_of
from warehouse.window import NIGHTLY_HOUR

# The product's tables belong to the last published day: every run replaces the marts made from them as a whole.
_APPLICATION_CHANGES: Final = " union all ".join(
    f"select max(change_id) as change_id from raw.{t.name}" for t in TABLES
)

VIEW: Final = f"""
with unpublished as materialized (
    select loaded.event_date, max(loads.change_id) as change_id, min(loads.loaded_at) as loaded_at
    from ops.loads as loads
    cross join unnest(loads.event_dates) as loaded(event_date)
    where loads.replaced_by is null
        and loaded.event_date >= {SEALED_BEFORE}
        and loaded.event_date < (now() at time zone 'UTC' - interval '{NIGHTLY_HOUR} hours')::date
        and not exists (select from ops.published_days as published where published.event_date = loaded.event_date)
    group by loaded.event_date
),
-- Of each version of the project that published days have, the models that are to have another version. A day that a
-- build made without a model lacks it, also where one run would make the model as a whole.
changed as materialized (
    select published.model_version, wanted.wanted_since,
        array_agg(models.model order by models.model) as models,
        array_agg(models.model order by models.model)
            filter (where not models.is_whole or built.version = '{NOT_BUILT}') as models_by_day,
        array_agg(models.model order by models.model) filter (where built.version = '{NOT_BUILT}') as models_missing
    from (select distinct model_version from ops.published_days) as published
    inner join ops.wanted_version as wanted on wanted.model_version <> published.model_version
    inner join ops.model_versions as models
        on models.project_version = wanted.model_version and models.version <> '{NOT_BUILT}'
    left join ops.model_versions as built
        on built.project_version = published.model_version and built.model = models.model
    where built.version is distinct from models.version
    group by published.model_version, wanted.wanted_since
)
select * from (
select event_date, marks.reason, marks.change_id, marks.recorded_at as stale_since, null::text[] as models
from ops.stale_day_marks as marks
inner join ops.published_days using (event_date)
union all
-- Every run rebuilds some models as a whole: these make no day stale but the last.
select days.event_date, 'models_changed', days.change_id, changed.wanted_since, stale.models
from ops.published_days as days
inner join changed using (model_version)
cross join (select max(event_date) as event_date from ops.published_days) as last
left join ops.applied_plan as plan on plan.from_date > days.event_date
cross join lateral (
    select
        case
            when plan.from_date is not null then changed.models_missing
            when days.event_date = last.event_date then changed.models
            else changed.models_by_day
        end as models
) as stale
where stale.models is not null
union all
-- A build that was interrupted or refused has consumed the differences between its own days.
select published.event_date, 'built_and_not_published', built.change_id, built.built_at, null
from ops.published_days as published
inner join ops.built_days as built using (event_date)
where built.build_id <> published.build_id or not built.is_complete
union all
select days.event_date, 'application_changed', versions.change_id, days.published_at, null
from (
    select max(event_date) as event_date, max(change_id) as change_id, max(published_at) as published_at
    from ops.published_days
) as days
inner join ({_APPLICATION_CHANGES}) as versions on versions.change_id > days.change_id
union all
-- A day that has lost all rows has nothing to publish. The limit keeps this a look-up in one partition.
select unpublished.event_date, 'never_run', unpublished.change_id, unpublished.loaded_at, null
from unpublished
where (select true from raw.events as events where events.event_date = unpublished.event_date limit 1)
union all
select landing_date, 'never_run', 0, waiting_since, null from ops.waiting_files
) as reasons
-- The numbers of sealed days stay, whatever has changed since.
where event_date >= {SEALED_BEFORE}
"""

COMMENTS: Final = {
    "": "Days that have to be run again, with every reason. Sealed days never are. Grain: one row per day, reason and"
    " change.",
    "event_date": "The UTC day; for files that were never loaded the day on which they landed.",
    "reason": "Why: events_changed and others noted by loads and builds; models_changed, application_changed,"
    " built_and_not_published, never_run.",
    "change_id": "The change of raw since which the day is stale; 0 where nothing was loaded.",
    "stale_since": "Since when, UTC.",
    "models": "For models_changed: the models whose version has changed, with all that depend on them.",
}


def set_wanted_version(connection: psycopg.Connection, loaded: ProjectVersion) -> ProjectVersion:
    """Record and return the version that published days shall have: the loaded one, as far as it is applied."""
    with connection.transaction():
        project = applied_models.wanted_version(connection, loaded)
        register_version(connection, project)
        connection.execute(
            """
            insert into ops.wanted_version as wanted (model_version) values (%s)
            on conflict (only_row) do update
            set model_version = excluded.model_version, wanted_since = excluded.wanted_since
            where wanted.model_version <> excluded.model_version
            """,
            [project.digest],
        )
    return project


def register_version(connection: psycopg.Connection, project: ProjectVersion) -> None:
    """Record the versions of the models of a version of the project, and delete versions that no day has."""
    if value_of(connection, "select 1 from ops.model_versions where project_version = %s limit 1", [project.digest]):
        return
    connection.execute(
        "insert into ops.model_versions select %s, * from unnest(%s::text[], %s::text[], %s::boolean[])"
        " on conflict do nothing",
        [
            project.digest,
            list(project.versions),
            list(project.versions.values()),
            [model in project.whole for model in project.versions],
        ],
    )
    connection.execute(
        """
        delete from ops.model_versions
        where project_version <> %s and not exists (
            select from (
                select model_version from ops.published_days
                union select model_version from ops.built_days
                union select model_version from ops.wanted_version
            ) as used
            where used.model_version = project_version
        )
        """,
        [project.digest],
    )
