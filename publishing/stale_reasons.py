"""Every reason for which a day is stale, in one place: the view `ops.stale_days`.

The view reads which version of the models is wanted from `ops.wanted_version`, so that whoever asks gets the same
answer: the sensor, a run, an operator, `marts.data_freshness`.
"""

from typing import Final

import psycopg

from ingestion.application.schema import TABLES
from warehouse.window import NIGHTLY_HOUR

DDL: Final = """
create table if not exists ops.wanted_version (
    only_row boolean primary key default true check (only_row),
    model_version text not null,
    wanted_since timestamptz not null default clock_timestamp()
);
comment on table ops.wanted_version is
    'The version of the models that published days shall have: that of the code which Dagster has loaded.';

create table if not exists ops.waiting_files (
    file text primary key,
    landing_date date not null,
    reason text not null,
    waiting_since timestamptz not null default clock_timestamp()
);
comment on table ops.waiting_files is
    'Landing files that are complete and not loaded although a run was asked for; reason says why, and what to do.';
"""

# The product's tables say something of the last published day, in marts that every run makes anew as a whole.
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
-- A build that was interrupted or refused has settled what its days changed for each other.
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
-- A day of which all rows have gone again has nothing to publish. The limit keeps this a look-up in one partition.
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
    """Record which version of the models published days shall have."""
    connection.execute(
        """
        insert into ops.wanted_version as wanted (model_version) values (%s)
        on conflict (only_row) do update
        set model_version = excluded.model_version, wanted_since = excluded.wanted_since
        where wanted.model_version <> excluded.model_version
        """,
        [model_version],
    )
