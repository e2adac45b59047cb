"""Every reason for a stale day: the query of view `ops.stale_days`.

The view takes the wanted version of the models from `ops.wanted_version`. The sensor, runs, operators and
`marts.data_freshness` therefore all get the same answer.
"""

from typing import Final

import psycopg

from ingestion.application.schema import TABLES
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
        and loaded.event_date < (now() at time zone 'UTC' - interval '{NIGHTLY_HOUR} hours')::date
        and not exists (select from ops.published_days as published where published.event_date = loaded.event_date)
    group by loaded.event_date
)
select event_date, marks.reason, marks.change_id, marks.recorded_at as stale_since
from ops.stale_day_marks as marks
inner join ops.published_days using (event_date)
union all
select days.event_date, 'models_changed', days.change_id, wanted.wanted_since
from ops.published_days as days
inner join ops.wanted_version as wanted on wanted.model_version <> days.model_version
union all
-- A build that was interrupted or refused has consumed the differences between its own days.
select published.event_date, 'built_and_not_published', built.change_id, built.built_at
from ops.published_days as published
inner join ops.built_days as built using (event_date)
where built.build_id <> published.build_id or not built.is_complete
union all
select days.event_date, 'application_changed', versions.change_id, days.published_at
from (
    select max(event_date) as event_date, max(change_id) as change_id, max(published_at) as published_at
    from ops.published_days
) as days
inner join ({_APPLICATION_CHANGES}) as versions on versions.change_id > days.change_id
union all
-- A day that has lost all rows has nothing to publish. The limit keeps this a look-up in one partition.
select unpublished.event_date, 'never_run', unpublished.change_id, unpublished.loaded_at
from unpublished
where (select true from raw.events as events where events.event_date = unpublished.event_date limit 1)
union all
select landing_date, 'never_run', 0, waiting_since from ops.waiting_files
"""

COMMENTS: Final = {
    "": "Days that have to be run again, with every reason. Grain: one row per day, reason and change.",
    "event_date": "The UTC day; for files that were never loaded the day on which they landed.",
    "reason": "Why: events_changed and others noted by loads and builds; models_changed, application_changed,"
    " built_and_not_published, never_run.",
    "change_id": "The change of raw since which the day is stale; 0 where nothing was loaded.",
    "stale_since": "Since when, UTC.",
}


def set_wanted_version(connection: psycopg.Connection, model_version: str) -> None:
    """Record the version of the models that published days shall have."""
    connection.execute(
        """
        insert into ops.wanted_version as wanted (model_version) values (%s)
        on conflict (only_row) do update
        set model_version = excluded.model_version, wanted_since = excluded.wanted_since
        where wanted.model_version <> excluded.model_version
        """,
        [model_version],
    )
