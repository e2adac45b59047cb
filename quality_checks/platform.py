"""Conservation checks of the platform's marts, by SQL that shares nothing with the models that it checks.

Days add up daily_metrics. Periods add up these days and recount the product's tables.
"""

from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Any, Final

import psycopg

from quality_checks.outcome import Finding, finding_by_day, finding_of_run
from quality_checks.product import CREATED_DATE, IS_THERE, SPEND, latest
from quality_checks.queries import EXCESS, NUMBERS, days_to_publish, rows_of_whole_tables, subtracted, uneven
from quality_checks.registry import check
from warehouse.window import Window

# As the var license_renewal_days of the dbt project; a test keeps both equal.
RENEWAL_DAYS: Final = 30

_UNEVEN_DAYS: Final = f"""
with
both_sides as (
    select
        %(start)s::date + n as metric_date,
        1 as missing_rows, 0 as views, 0 as clicks, 0 as conversions, 0 as revenue_cents
    from generate_series(0, %(end)s::date - %(start)s::date - 1) as n
    union all
    select metric_date, 0, views, clicks, conversions, revenue_cents
    from build.daily_metrics
    where metric_date >= %(start)s and metric_date < %(end)s
    union all
    {subtracted("platform_daily_metrics", "metric_date", NUMBERS)}
)
{uneven("metric_date", EXCESS)}
"""


@check("build/platform_daily_metrics", reads=("daily_metrics",))
def platform_days_add_up(connection: psycopg.Connection, window: Window) -> Finding:
    """The platform has every day of the window, with the sums of daily_metrics, or zeros.

    A sample row has how much the groups exceed the platform.
    """
    found = rows_of_whole_tables(connection, _UNEVEN_DAYS, window)
    return finding_by_day({"wrong_days": len(found)}, found)


# Rows that are counted by the day on which they were created.
_CREATED: Final = {
    "users": f"({latest('users')}) as rows_now where {IS_THERE}",
    "creators": "creators",
    "brands": "brands",
    "assets": f"assets where {IS_THERE}",
    "licenses": "licenses",
    "renewals": "licenses where parent_license_id is not null",
}
_ROWS_CREATED: Final = " union all ".join(
    f"select '{kind}' as kind, {CREATED_DATE} as created_date, count(*) as row_count from {rows} group by 1, 2"
    for kind, rows in _CREATED.items()
)
# Counts of such rows up to the end of a period, and since its beginning.
_TOTALS: Final = {f"{kind}_total": kind for kind in ("users", "creators", "brands", "assets", "licenses")}
_NEW: Final = {"users_new": "users", "assets_uploaded": "assets", "licenses_created": "licenses"}
# Columns that are counts; the others are quotients.
_COUNTS: Final = (*_TOTALS, *_NEW, "users_active", "actors_unknown", "creators_active", "brands_active")
# The counts of which the quotients are made; a period has none of a kind without rows.
_RENEWING: Final = {"licenses_renewing": "renewals"}
_PARTS: Final = ("spend_cents", *_RENEWING, "licenses_ended", "licenses_renewed")
_IN_PERIOD: Final = [f"sum(row_count) filter (where kind = '{kind}') as {name}" for name, kind in _TOTALS.items()] + [
    f"sum(row_count) filter (where kind = '{kind}' and created_date >= first_date) as {name}"
    for name, kind in (_NEW | _RENEWING).items()
]

# A recount of every period from its days and from the product's rows as they are now.
_COUNTED: Final = f"""
with
periods as (
    select
        -- A period without a first day has every day, and none before it.
        period, coalesce(first_date, '-infinity') as first_date, last_date,
        first_date - (last_date - first_date + 1) as before_date
    from build.periods
),
days as ({days_to_publish("platform_daily_metrics", "metric_date, views, revenue_cents")}),
creators as (select * from ({latest("creators")}) as rows_now where {IS_THERE}),
brands as (select * from ({latest("brands")}) as rows_now where {IS_THERE}),
assets as (select * from ({latest("ip_assets")}) as rows_now where not is_removed),
licenses as (select * from ({latest("licenses")}) as rows_now where not is_removed),
created as ({_ROWS_CREATED}),
created_in as (
    select period, {", ".join(_IN_PERIOD)}
    from periods left join created on created_date <= last_date
    group by period
),
uploaders as (
    select distinct creators.id, assets.created_date
    from creators
    inner join (select created_by, {CREATED_DATE} as created_date from assets) as assets
        on created_by = creators.user_id
),
buyers as (
    select distinct brand_id, {CREATED_DATE} as created_date from licenses where brand_id in (select id from brands)
),
active_in as (
    select
        period,
        (select count(distinct id) from uploaders where created_date between first_date and last_date)
            as creators_active,
        (select count(distinct brand_id) from buyers where created_date between first_date and last_date)
            as brands_active
    from periods
),
spent as (
    select spend_date, sum(spend_cents) as cents
    from ({SPEND}) as spend where brand_id in (select id from brands) group by spend_date
),
spent_in as (
    select period, sum(cents) as spend_cents
    from periods inner join spent on spend_date between first_date and last_date group by period
),
-- A license is renewed when another one names it as parent by RENEWAL_DAYS after its end, as far as days are published.
ended as (
    select
        parents.end_date,
        min((children.created_at at time zone 'utc')::date) as renewed_date
    from licenses as parents
    left join licenses as children on children.parent_license_id = parents.id and children.id <> parents.id
    where parents.end_date is not null
    group by parents.id, parents.end_date
),
ended_in as (
    select
        period,
        count(*) as licenses_ended,
        count(*) filter (where renewed_date <= least(end_date + {RENEWAL_DAYS}, last_date)) as licenses_renewed
    from periods inner join ended on end_date between first_date and last_date
    group by period
),
seen_in as (
    select
        period,
        coalesce(sum(views) filter (where metric_date >= first_date), 0) as views,
        coalesce(sum(revenue_cents) filter (where metric_date >= first_date), 0) as revenue_cents,
        sum(revenue_cents) filter (where metric_date < first_date) as revenue_cents_before
    from periods
    left join days on metric_date between coalesce(before_date, first_date) and last_date
    group by period
)
select
    period,
    {", ".join(f"coalesce({count}, 0) as {count}" for count in (*_COUNTS, *_PARTS))},
    views,
    revenue_cents,
    revenue_cents_before
from periods
inner join created_in using (period)
inner join active_in using (period)
inner join seen_in using (period)
left join spent_in using (period)
left join ended_in using (period)
left join (
    select period, known_users as users_active, active_users - known_users as actors_unknown
    from build.active_users_by_period
) as signed_in using (period)
"""
_SHOWN: Final = "select * from build.platform_metrics"


@check("build/platform_metrics", reads=("active_users_by_period", "periods", "platform_daily_metrics"))
def platform_periods_add_up(connection: psycopg.Connection, window: Window) -> Finding:
    """Every period of the platform has the sums of its published days and the counts of the product's tables.

    Every column of platform_metrics is recounted; active users are taken from active_users_by_period. A sample row has
    a number as counted and as shown, null where the period is on one side only.
    """
    counted = {row["period"]: _numbers(row) for row in rows_of_whole_tables(connection, _COUNTED, window)}
    shown = {row["period"]: row for row in rows_of_whole_tables(connection, _SHOWN, window)}
    found = [
        {"period": period, "column": column, "counted": due.get(column), "shown": there.get(column)}
        for period in sorted({*counted, *shown})
        for due, there in [(counted.get(period, {}), shown.get(period, {}))]
        for column in sorted({*due, *there} - {"metric_date", "period"})
        if due.get(column) != there.get(column)
    ]
    return finding_of_run({"wrong_numbers": len(found)}, found, window)


def _numbers(counted: dict[str, Any]) -> dict[str, Decimal | None]:
    """Return the columns of platform_metrics from the counts of a period."""
    before = counted["revenue_cents_before"]
    growth = _quotient(100 * (counted["revenue_cents"] - before), before) if before else None
    return {
        **{name: counted[name] for name in _COUNTS},
        "creators_avg_revenue_per_creator": _quotient(counted["revenue_cents"], counted["creators_active"]),
        "brands_avg_spend_per_brand": _quotient(counted["spend_cents"], counted["brands_active"]),
        "assets_avg_views_per_asset": _quotient(counted["views"], counted["assets_total"]),
        "licenses_renewal_rate": _quotient(100 * counted["licenses_renewing"], counted["licenses_created"]),
        "licenses_expiring_renewal_rate": _quotient(100 * counted["licenses_renewed"], counted["licenses_ended"]),
        "revenue_total_cents": counted["revenue_cents"],
        "revenue_growth_pct": growth,
    }


def _quotient(numerator: int, denominator: int) -> Decimal:
    """Return a quotient with 4 decimals, rounded half away from zero; 0 where the denominator is 0."""
    with localcontext(prec=60):
        exact = Decimal(numerator) / Decimal(denominator) if denominator else Decimal(0)
        return exact.quantize(Decimal("0.0001"), ROUND_HALF_UP)
