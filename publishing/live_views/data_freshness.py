"""View marts.data_freshness: how current each mart is."""

from typing import Final

from publishing.model_versions import NOT_BUILT
from warehouse.retention import SEALED_BEFORE

VIEW: Final = f"""
with stale as (
    select count(distinct event_date) as stale_days, min(event_date) as oldest_stale_date from ops.stale_days
)
select published.mart, published.last_published_date, published.published_at, published.run_id,
    stale.stale_days, stale.oldest_stale_date,
    case
        when applied.version is distinct from applied.planned_version then 'in progress'
        when applied.version is not null and coalesce(wanted.version, '{NOT_BUILT}') = '{NOT_BUILT}'
            then 'waits'
    end as plan,
    older.days as older_version_days, applied.mixed_since
from ops.published_marts as published
cross join stale
left join ops.applied_models as applied on applied.model = published.mart
left join (
    select models.model, models.version
    from ops.wanted_version as wanted
    inner join ops.model_versions as models on models.project_version = wanted.model_version
) as wanted on wanted.model = published.mart
left join lateral (
    select range_agg(daterange(days.event_date, days.event_date + 1)) as days
    from ops.published_days as days
    left join ops.model_versions as built
        on built.project_version = days.model_version and built.model = published.mart
    where built.version is distinct from applied.planned_version and days.event_date >= {SEALED_BEFORE}
) as older
    on applied.version is distinct from applied.planned_version
    and exists (select from ops.applied_plan where is_in_place)
"""

COMMENTS: Final = {
    "": "How current each mart is. Grain: one row per mart.",
    "mart": "The name of the table or view in schema marts.",
    "last_published_date": "The last UTC day that has been published to the mart.",
    "published_at": "When the mart was last published, for whichever days.",
    "run_id": "The run that published it then; all marts of a publication have the same.",
    "stale_days": "How many days are known to differ from what has been loaded since, or were loaded and never"
    " published; they are being run again, or a check holds them back.",
    "oldest_stale_date": "The first of these days; null when there are none.",
    "plan": "Null, or why the mart gets no new days: it waits for a plan (waits), or a plan is making its new"
    " version (in progress). It keeps its last published day until the plan is carried out.",
    "older_version_days": "While a plan publishes each chunk when it is ready: the published days that are"
    " still of the older version. Else null.",
    "mixed_since": "The first day with the present version of the mart, where a plan has left older days"
    " as they were. Weeks, months and periods mix both. Else null.",
}
