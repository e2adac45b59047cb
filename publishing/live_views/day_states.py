"""View marts.stale_days: the days of each mart that are not as they should be, or will not change any more, and why."""

from typing import Final

from publishing.model_versions import NOT_BUILT
from warehouse.retention import SEALED_BEFORE
from warehouse.window import NIGHTLY_HOUR

# Reasons beside those of view ops.stale_days and the names of failed checks.
_REASONS: Final = {
    "files_wait": "landing files of the day are there, and no run has loaded them",
    "nothing_loaded": "no event of the day is loaded",
    "plan": "a change of the mart waits for a plan, or a plan carries it out",
    "kept_by_plan": "a plan has left the day as it was",
    "sealed": "the day is older than the retention",
}

VIEW: Final = f"""
with stale as materialized (
    select event_date, stale_since, models,
        case when reason = 'never_run' and change_id = 0 then 'files_wait' else reason end as reason
    from ops.stale_days
),
stale_by_day as (
    select event_date,
        array_agg(distinct reason order by reason) filter (where models is null) as reasons,
        min(stale_since) filter (where models is null) as stale_since,
        max(models) as models,
        min(stale_since) filter (where models is not null) as models_changed_since
    from stale
    group by event_date
),
-- A check refuses a day since its first failure after it last passed.
refused_by_day as materialized (
    select failing.event_date, array_agg(failing.check_name order by failing.check_name) as checks,
        min(first_failure.checked_at) as refused_since
    from (select check_name, unnest(failing_days) as event_date from ops.check_states where severity = 'error')
        as failing
    cross join lateral (
        select min(results.checked_at) as checked_at
        from ops.check_results as results
        where results.check_name = failing.check_name and failing.event_date = any(results.bad_days)
            and results.checked_at > coalesce((
                select max(passed.checked_at)
                from ops.check_results as passed
                where passed.check_name = failing.check_name and not failing.event_date = any(passed.bad_days) and (
                    passed.covers_all_days
                    or passed.window_start <= failing.event_date and passed.window_end > failing.event_date
                )
            ), '-infinity')
    ) as first_failure
    group by failing.event_date
),
overridden_by_day as (
    select event_date, array_agg('overridden: ' || check_name order by check_name) as checks,
        min(overridden_at) as overridden_since
    from ops.check_overrides
    where is_in_force
    group by event_date
),
due as (
    select (now() at time zone 'UTC' - interval '{NIGHTLY_HOUR} hours')::date as first_day_not_due,
        {SEALED_BEFORE} as sealed_before
),
calendar as (
    select first.event_date + n as event_date
    from (select min(event_date) as event_date from ops.published_days) as first
    cross join due
    cross join lateral generate_series(0, due.first_day_not_due - first.event_date - 1) as n
    union
    select event_date from ops.published_days
    union
    select event_date from stale
    union
    select event_date from refused_by_day
),
days as (
    select calendar.event_date, published.event_date is not null as is_published, published.model_version,
        published.published_at, calendar.event_date < due.sealed_before as is_sealed,
        (calendar.event_date + 1 + time '{NIGHTLY_HOUR:02}:00') at time zone 'UTC' as due_at,
        refused.checks, refused.refused_since,
        coalesce(overridden.checks, '{{}}') as overridden, overridden.overridden_since,
        coalesce(stale.reasons, '{{}}') as reasons, stale.stale_since, stale.models, stale.models_changed_since
    from calendar
    cross join due
    left join ops.published_days as published using (event_date)
    left join refused_by_day as refused using (event_date)
    left join overridden_by_day as overridden using (event_date)
    left join stale_by_day as stale using (event_date)
    where calendar.event_date < due.first_day_not_due or published.event_date is not null
),
-- While nothing is published, no mart has a name here.
marts as (
    select published.mart, published.last_published_date, applied.planned_version, applied.mixed_since,
        applied.version is distinct from applied.planned_version as is_changing, plan.is_in_place, plan.applied_at
    from (select 1) as one_row
    left join ops.published_marts as published on true
    left join ops.applied_models as applied on applied.model = published.mart
    left join ops.applied_plan as plan on true
),
pairs as (
    select days.*, marts.mart, marts.last_published_date, marts.applied_at,
        coalesce(days.is_published and days.event_date <= marts.last_published_date, false) as is_in_mart,
        coalesce(marts.mart = any(days.models), false) as is_changed,
        case
            when marts.is_changing then not marts.is_in_place or built.version is distinct from marts.planned_version
            else built.version = '{NOT_BUILT}' and not built.is_whole
        end as awaits_plan,
        coalesce(days.event_date < marts.mixed_since, false) as is_kept
    from days
    cross join marts
    left join ops.model_versions as built
        on built.project_version = days.model_version and built.model = marts.mart
),
states as (
    select pairs.*,
        case
            when checks is not null then 'refused'
            when not is_in_mart and not is_sealed and event_date > coalesce(last_published_date, '-infinity')
                then 'late'
            when not is_in_mart then 'missing'
            when reasons <> '{{}}' then 'stale'
            when overridden <> '{{}}' then 'overridden'
            when is_sealed then 'sealed'
            when is_changed or awaits_plan or is_kept then 'older version'
        end as state
    from pairs
)
select event_date as metric_date, mart, state,
    coalesce(checks, '{{}}') || overridden || reasons
    || array_remove(
        array[
            case when is_changed and is_in_mart then 'models_changed' end,
            case when not is_published and not reasons && '{{never_run,files_wait}}' then 'nothing_loaded' end,
            case when is_published and not is_in_mart or awaits_plan then 'plan' end,
            case when is_kept then 'kept_by_plan' end,
            case when is_sealed then 'sealed' end
        ],
        null
    ) as reasons,
    case state
        when 'refused' then refused_since
        when 'late' then due_at
        when 'missing' then due_at
        when 'stale' then stale_since
        when 'overridden' then overridden_since
        when 'older version' then coalesce(
            models_changed_since, case when awaits_plan then coalesce(applied_at, published_at) end
        )
    end as since,
    is_in_mart as is_published
from states
where state is not null
"""

COMMENTS: Final = {
    "": "The days of each mart that are late, stale, refused, missing, overridden, sealed or of an older version,"
    " with every reason. Other days are not listed. It looks at ops at every query. Grain: one row per metric_date and"
    " mart.",
    "metric_date": "The UTC day.",
    "mart": "The table or view of schema marts; null while nothing is published.",
    "state": "Of several the first: refused (a blocking check fails, and the rows of before stay), late (after the last"
    " day of the mart, and due), missing (a gap before it), stale (published, and known to differ from what has been"
    " loaded since), overridden (published although a check fails, since a person has overruled it), sealed (it never"
    " changes any more), older version (published by an older version of the model).",
    "reasons": "The names of failed checks and of overridden ones; the reasons of ops.stale_days, such as"
    " events_changed, models_changed or never_run; "
    + "; ".join(f"{name} ({meaning})" for name, meaning in _REASONS.items())
    + ".",
    "since": f"Since when the state holds, UTC. A day is due at {NIGHTLY_HOUR:02}:00 of the day after it. Null for"
    " sealed, and where a plan has left the day as it was.",
    "is_published": "The mart has the day, as it was last published.",
}
