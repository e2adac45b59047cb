"""Conservation checks of rollups: weeks, months and periods are recounted from their days.

The days of the window are read as they are built, all others as they are published.
"""

from datetime import date, timedelta
from typing import Any, Final

import psycopg

from quality_checks.outcome import Finding, Severity, finding, finding_of_run
from quality_checks.queries import ADDITIVE_COLUMNS, IN_PERIODS, days_to_publish, differ, rows_of, sums_of
from quality_checks.registry import check
from warehouse.window import Window, first_of_next_month, monday_of

_DAYS: Final = f"""
days as ({days_to_publish("daily_metrics", "*")}),
visitors as ({days_to_publish("visitor_asset_days", "metric_date, ip_asset_id, visitor_id", schema="rollups")})
"""

# The groups of a week or month that differ from their days.
_UNEVEN: Final = """
with
{days},
both_sides as (
    select
        date_trunc('{unit}', metric_date::timestamp)::date as period_start, project_id, ip_asset_id, license_id,
        0 as period_rows, unique_visitors as day_visitors, null as period_visitors,
        views, clicks, conversions, revenue_cents, engagement_time
    from days
    where metric_date >= %(first)s and metric_date < %(last)s
    union all
    select
        metric_date, project_id, ip_asset_id, license_id,
        1, null, unique_visitors,
        -views, -clicks, -conversions, -revenue_cents, -engagement_time
    from build.{unit}ly_metrics
    where metric_date >= %(first)s and metric_date < %(last)s
)
select
    period_start, project_id, ip_asset_id, license_id,
    sum(period_rows) as period_rows, {sums}
from both_sides
group by period_start, project_id, ip_asset_id, license_id
having sum(period_rows) <> 1 or {differ}
    or max(period_visitors) not between max(day_visitors) and sum(day_visitors)
order by period_start, project_id, ip_asset_id, license_id
"""


@check("build/monthly_metrics", reads=("daily_metrics", "visitor_asset_days", "weekly_metrics"))
def weeks_and_months_add_up_to_their_days(connection: psycopg.Connection, window: Window) -> Finding:
    """Every week and month that the window touches, and the one after it, has the groups of its days and their sums.

    Visitors do not add up, but a group has no fewer than on its best day and no more than the sum of its days. A sample
    row has, per column, how much the days exceed the week or month.
    """
    last = window.end - timedelta(days=1)
    spans = {
        "week": (monday_of(window.start), monday_of(last) + timedelta(days=14)),
        "month": (window.start.replace(day=1), first_of_next_month(first_of_next_month(last))),
    }
    observed: dict[str, int] = {}
    wrong: list[dict[str, Any]] = []
    bad_days: set[date] = set()
    for unit, (first, end) in spans.items():
        statement = _UNEVEN.format(
            days=_DAYS, unit=unit, sums=sums_of(ADDITIVE_COLUMNS), differ=differ(ADDITIVE_COLUMNS)
        )
        found = rows_of(connection, statement, window, first=first, last=end)
        observed[f"wrong_{unit}_groups"] = len(found)
        wrong += [{"unit": unit, **row} for row in found]
        for start in {row["period_start"] for row in found}:
            after = start + timedelta(days=7) if unit == "week" else first_of_next_month(start)
            # The next week or month has none of the window's days; the last of them stands for it.
            bad_days |= {day for day in window.days() if start <= day < after} or {last}
    return finding(observed, wrong, bad_days)


# The days that will be published.
_PUBLISHED: Final = f"days as ({days_to_publish('published_days', 'metric_date')})"

_WRONG_PERIODS: Final = f"""
with
{_PUBLISHED},
ends as (
    select max(metric_date) as last_date, max(metric_date) - min(metric_date) + 1 as known_days from days
),
due as (
    select
        period,
        last_date - length + 1 as first_date,
        last_date,
        least(length, known_days) - (
            select count(*) from days where metric_date > last_date - least(length, known_days)
        ) as days_missing
    from (
        values ('today', 1), ('7d', 7), ('30d', 30), ('90d', 90), ('1y', 365), ('all', null)
    ) as lengths (period, length)
    cross join ends
)
select
    period,
    due.first_date as due_first_date, due.last_date as due_last_date, due.days_missing as due_days_missing,
    shown.first_date as shown_first_date, shown.last_date as shown_last_date, shown.days_missing as shown_days_missing
from due full join build.periods as shown using (period)
where (due.first_date, due.last_date, due.days_missing)
    is distinct from (shown.first_date, shown.last_date, shown.days_missing)
order by period
"""


@check("build/periods", reads=("published_days",))
def periods_end_with_the_last_day(connection: psycopg.Connection, window: Window) -> Finding:
    """There are six periods, each as long as its name says, and each ends with the last day that will be published.

    `days_missing` of each is the number of its unpublished days since the first published one. Other checks compare
    periods with the days from these first dates to these last dates.
    """
    found = rows_of(connection, _WRONG_PERIODS, window)
    return finding_of_run({"wrong_periods": len(found)}, found, window)


_MISSING_DAYS: Final = f"""
with
{_PUBLISHED},
gaps as (
    select metric_date + 1 as first_missing, lead(metric_date) over (order by metric_date) - 1 as last_missing
    from days
)
select
    first_missing as first_missing_date,
    last_missing as last_missing_date,
    last_missing - first_missing + 1 as days_missing,
    array(
        select period from build.periods as periods
        where coalesce(periods.first_date <= last_missing, true)
        order by periods.first_date desc nulls last
    ) as periods
from gaps
where last_missing >= first_missing
order by first_missing desc
"""


@check("build/periods", reads=("published_days",), severity=Severity.WARNING)
def periods_have_all_days(connection: psycopg.Connection, window: Window) -> Finding:
    """No day between the first published day and the last one is unpublished.

    An unpublished day is missing in the periods, weeks and months that hold it; `days_missing` of periods counts them.
    A sample row has a run of missing days, the latest first, and the periods that lack them.
    """
    gaps = rows_of(connection, _MISSING_DAYS, window)
    missing = [gap["first_missing_date"] + timedelta(days=n) for gap in gaps for n in range(gap["days_missing"])]
    return finding({"days_missing": len(missing)}, gaps, missing, covers_all_days=True)


# The assets whose periods of up to a week differ from their days.
_UNEVEN_ASSETS: Final = f"""
with
{_DAYS},
periods as (
    select period, last_date, first_date from build.periods where period in ('today', '7d')
),
recent_days as (
    select * from days where metric_date {IN_PERIODS}
),
recent_visitors as (
    select * from visitors where metric_date {IN_PERIODS}
),
counted as (
    select period, ip_asset_id,
        sum(views) as views, sum(clicks) as clicks, sum(conversions) as conversions, sum(revenue_cents) as revenue_cents
    from periods inner join recent_days on metric_date between first_date and last_date
    group by period, ip_asset_id
),
met as (
    select period, ip_asset_id, count(distinct visitor_id) as unique_visitors
    from periods inner join recent_visitors on metric_date between first_date and last_date
    group by period, ip_asset_id
),
shown as (
    select * from build.asset_metrics where period in ('today', '7d')
)
select period, ip_asset_id,
    coalesce(counted.views, 0) - shown.total_views as views,
    coalesce(counted.clicks, 0) - shown.total_clicks as clicks,
    coalesce(counted.conversions, 0) - shown.total_conversions as conversions,
    coalesce(counted.revenue_cents, 0) - shown.total_revenue_cents as revenue_cents,
    coalesce(met.unique_visitors, 0) - shown.unique_visitors as unique_visitors
from shown
left join counted using (period, ip_asset_id)
left join met using (period, ip_asset_id)
where (
    coalesce(counted.views, 0), coalesce(counted.clicks, 0), coalesce(counted.conversions, 0),
    coalesce(counted.revenue_cents, 0), coalesce(met.unique_visitors, 0)
) is distinct from (
    shown.total_views, shown.total_clicks, shown.total_conversions, shown.total_revenue_cents, shown.unique_visitors
)
order by period, ip_asset_id
"""


@check("build/asset_metrics", reads=("daily_metrics", "periods", "visitor_asset_days"))
def asset_periods_match_daily_metrics(connection: psycopg.Connection, window: Window) -> Finding:
    """The numbers of assets for today and the last 7 days, visitors too, equal a recount of these days.

    Visitors of periods are updated incrementally, and the recount of a week shows drift. A sample row has, per column,
    how much the days exceed the period.
    """
    found = rows_of(connection, _UNEVEN_ASSETS, window)
    return finding_of_run({"wrong_asset_periods": len(found)}, found, window)
