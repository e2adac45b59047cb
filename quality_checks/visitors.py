"""Conservation checks of visitors in rollups that are updated incrementally: a recount from the days gives the same.

The days of the window are read as they are built, all others as they are published.
"""

from typing import Final

import psycopg

from quality_checks.outcome import Finding, finding_of_run
from quality_checks.product import CREATED_DATE, IS_THERE, latest
from quality_checks.queries import days_to_publish, rows_of
from quality_checks.registry import check
from warehouse.window import Window

_DAYS: Final = f"""
days as ({days_to_publish("visitor_active_days", "metric_date, visitor_id, is_signed_in", schema="rollups")})
"""

_ACTIVE_USERS: Final = f"""
with
{_DAYS},
periods as (
    select period, first_date, last_date from build.periods where period in ('today', '7d')
),
counted as (
    select
        period, count(distinct visitor_id) as actors,
        count(distinct visitor_id) filter (where created_date <= last_date) as users
    from periods
    inner join days on metric_date between first_date and last_date
    left join (
        select 'actor:' || id as visitor_id, {CREATED_DATE} as created_date
        from ({latest("users")}) as rows_now
        where {IS_THERE}
    ) as product using (visitor_id)
    where is_signed_in
    group by period
)
select
    period,
    coalesce(actors, 0) as counted, coalesce(active_users, 0) as shown,
    coalesce(users, 0) as counted_users, coalesce(known_users, 0) as shown_users
from periods
left join counted using (period)
left join build.active_users_by_period as shown using (period)
where (coalesce(actors, 0), coalesce(users, 0)) <> (coalesce(active_users, 0), coalesce(known_users, 0))
order by period
"""

_COHORTS: Final = f"""
with
{_DAYS},
weeks as (
    select
        date_trunc('week', %(start)s::timestamp)::date as first_day,
        date_trunc('week', %(end)s::timestamp - interval '1 day')::date + 6 as last_day
),
counted as (
    select date_trunc('week', metric_date::timestamp)::date as active_week, count(distinct visitor_id) as visitors
    from days inner join weeks on metric_date between first_day and last_day
    group by active_week
),
shown as (
    select active_week, sum(visitors) as visitors, min(visitors) as least
    from build.cohort_weeks inner join weeks on active_week between first_day and last_day
    group by active_week
)
select active_week, coalesce(counted.visitors, 0) as counted, coalesce(shown.visitors, 0) as shown
from counted full join shown using (active_week)
-- Days of sealed weeks are gone.
where active_week >= coalesce((select visitor_days_from from ops.retention), '-infinity')
    and (coalesce(counted.visitors, 0) <> coalesce(shown.visitors, 0) or shown.least < 0)
order by active_week
"""


@check("build/active_users_by_period", reads=("periods", "visitor_active_days"))
def active_users_match_visitor_days(connection: psycopg.Connection, window: Window) -> Finding:
    """Signed-in actors of today and the last 7 days, and the users among them, equal a recount of the days."""
    return _recount(connection, "wrong_periods", _ACTIVE_USERS, window)


@check("build/cohort_weeks", reads=("periods", "visitor_active_days"))
def cohorts_match_visitor_days(connection: psycopg.Connection, window: Window) -> Finding:
    """The cohorts of each week that the window touches add up to the distinct visitors of the week's days."""
    return _recount(connection, "wrong_weeks", _COHORTS, window)


def _recount(connection: psycopg.Connection, count_name: str, query: str, window: Window) -> Finding:
    found = rows_of(connection, query, window)
    return finding_of_run({count_name: len(found)}, found, window)
