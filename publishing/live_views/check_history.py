"""View marts.check_history: which checks passed or failed on each day, from the recorded results."""

from typing import Final

VIEW: Final = """
with bad_days as (
    select distinct check_name, unnest(bad_days) as metric_date from ops.check_results
),
-- A result that covers all days also ends failures of days outside its window.
checked_days as (
    select results.check_name, results.build_id, results.window_start, results.window_end,
        results.window_start + n as metric_date
    from ops.check_results as results
    cross join lateral generate_series(0, results.window_end - results.window_start - 1) as n
    union
    select results.check_name, results.build_id, results.window_start, results.window_end, bad_days.metric_date
    from ops.check_results as results
    inner join bad_days using (check_name)
    where results.covers_all_days or bad_days.metric_date = any(results.bad_days)
),
results_by_day as (
    select checked_days.metric_date, results.check_name, results.severity, results.checked_at, results.build_id,
        results.observed, not checked_days.metric_date = any(results.bad_days) as is_passed
    from checked_days
    inner join ops.check_results as results using (check_name, build_id, window_start, window_end)
),
neighbours as (
    select results_by_day.*,
        lag(is_passed) over by_time as passed_before,
        lead(is_passed) over by_time as passes_next
    from results_by_day
    window by_time as (partition by check_name, metric_date order by checked_at, build_id)
),
periods as (
    select neighbours.*,
        max(checked_at) filter (where passed_before is distinct from is_passed) over (
            partition by check_name, metric_date order by checked_at, build_id
        ) as since
    from neighbours
)
select metric_date, check_name, severity, case when is_passed then 'passed' else 'failed' end as result, since,
    checked_at as last_checked_at, passes_next is null as is_latest, build_id as run_id,
    -- Samples show rows of raw and text, which may name persons.
    (
        select coalesce(jsonb_object_agg(name, counted), '{}')
        from jsonb_each(observed) as counts(name, counted)
        where jsonb_typeof(counted) in ('number', 'boolean')
    ) as value
from periods
where passes_next is distinct from is_passed
"""

COMMENTS: Final = {
    "": "The results of each check on each day: a row for as long as the result stayed the same. Sealed days keep"
    " theirs. It looks at ops at every query. Grain: one row per metric_date, check_name and since.",
    "metric_date": "The UTC day that was checked.",
    "check_name": "The name of the check; the docs of the project list all of them.",
    "severity": "error: the day is not published while the check fails; warning: it is.",
    "result": "passed or failed, on this day.",
    "since": "When the check first came to this result, after another one or none, UTC.",
    "last_checked_at": "When it last came to this result, UTC.",
    "is_latest": "The result holds now.",
    "run_id": "The run that last came to it.",
    "value": "Counts that the check last observed, over all days of the run, as {name: number}.",
}
