"""View ops.check_states: the state of each check over all days, from the last result of each day."""

from typing import Final

from warehouse.retention import SEALED_BEFORE

VIEW: Final = f"""
with failing as (
    select results.check_name, day
    from ops.check_results as results, unnest(results.bad_days) as day
    where not results.is_passed and day >= {SEALED_BEFORE} and not exists (
        select from ops.check_results as later
        where later.check_name = results.check_name and later.checked_at > results.checked_at and (
            later.covers_all_days
            or later.window_start <= day and later.window_end > day
            or day = any(later.bad_days)
        )
    )
    group by results.check_name, day
),
latest as (
    select distinct on (check_name) check_name, severity, checked_at
    from ops.check_results
    order by check_name, checked_at desc
)
select latest.check_name, latest.severity, failing.days is null as is_passing,
    coalesce(failing.days, '{{}}') as failing_days, latest.checked_at
from latest
left join (
    select check_name, array_agg(day order by day) as days from failing group by check_name
) as failing using (check_name)
"""

COMMENTS: Final = {
    "": "The state of each check over all days; a run that passes changes nothing about the days of other runs."
    " Grain: one row per check.",
    "is_passing": "No day is left whose last result is a failure.",
    "failing_days": "The event days whose last result is a failure, but for sealed ones.",
    "checked_at": "When the check last ran, for whichever days.",
}
