"""Explained cells of the marts about the whole platform: their rows are days, rows of the product, and visitors."""

from typing import Final

from publishing.explain.cells import IN_SPAN, Cells, Span, Value, growth, percentage, rate, summed

# Days of the period, and of the equally long one before it; a period without a first day has none before it.
_DAYS: Final = """
    select days.metric_date, days.views, days.revenue_cents, $1 is not null and days.metric_date < $1 as is_before
    from cell
    inner join marts.platform_daily_metrics as days
        on days.metric_date between coalesce($1 - ($2 - $1 + 1), '-infinity') and $2
"""
_REVENUE: Final = Value(summed("revenue_cents"), "sum of revenue_cents over the days of the period", "not is_before")
_REVENUE_GROWTH: Final = Value(
    growth(summed("revenue_cents", "not is_before"), "sum(revenue_cents) filter (where is_before)"),
    "(revenue of the period - revenue of the equally long one before) / the latter, in %",
)


def _in_days(measure: str) -> str:
    return f"(select coalesce(sum({measure}), 0) from marts.platform_daily_metrics where metric_date {IN_SPAN})"


# Everything of the product that is known by the last day.
_ITEMS: Final = """
    select items.effective_date, items.kind, items.item_count, items.amount_cents, items.owner_id,
        items.known_from_date, coalesce(items.effective_date >= $1, true) as is_in_period
    from cell
    inner join intermediate.int_product_counts_by_day as items on items.known_from_date <= $2
"""
_ANY_LICENSE: Final = "kind in ('license', 'renewing license')"


def _known(kind: str, words: str) -> Value:
    return Value(summed("item_count"), f"number of {words} that exist by the last day", kind)


def _new(kind: str, words: str) -> Value:
    return Value(summed("item_count"), f"number of {words} in the period", f"{kind} and is_in_period")


def _active(kind: str, words: str) -> Value:
    return Value("count(distinct owner_id)", f"number of {words} in the period", f"kind = '{kind}' and is_in_period")


def _items(kind: str) -> str:
    return summed("item_count", f"kind = '{kind}' and is_in_period")


_CREATORS: Final = "count(distinct owner_id) filter (where kind = 'upload' and is_in_period)"
_BRANDS: Final = "count(distinct owner_id) filter (where kind = 'fee' and is_in_period)"
_SPENT: Final = "kind in ('fee', 'adjustment') and is_in_period"
_PRODUCT_VALUES: Final = {
    "users_total": _known("kind = 'user'", "users"),
    "users_new": _new("kind = 'user'", "users created"),
    "creators_total": _known("kind = 'creator'", "creators"),
    "creators_active": _active("upload", "creators who created an asset"),
    "creators_avg_revenue_per_creator": Value(
        rate(_in_days("revenue_cents"), _CREATORS),
        "revenue of the period / number of creators who created an asset in it",
        "kind = 'upload' and is_in_period",
    ),
    "brands_total": _known("kind = 'brand'", "brands"),
    "brands_active": _active("fee", "brands that created a license"),
    "brands_avg_spend_per_brand": Value(
        rate(summed("amount_cents", _SPENT), _BRANDS),
        "fees and adjustments in the period / number of brands that created a license in it",
        _SPENT,
    ),
    "assets_total": _known("kind = 'asset'", "assets"),
    "assets_uploaded": _new("kind = 'asset'", "assets created"),
    "assets_avg_views_per_asset": Value(
        rate(_in_days("views"), summed("item_count")),
        "views of the period / number of assets that exist by the last day",
        "kind = 'asset'",
    ),
    "licenses_total": _known(_ANY_LICENSE, "licenses"),
    "licenses_created": _new(_ANY_LICENSE, "licenses created"),
    "licenses_renewal_rate": Value(
        percentage(_items("renewing license"), summed("item_count")),
        "licenses created with a parent license / licenses created in the period, in %",
        f"{_ANY_LICENSE} and is_in_period",
    ),
    "licenses_expiring_renewal_rate": Value(
        percentage(_items("renewed license"), _items("expiring license")),
        "licenses renewed in time / licenses whose term ended in the period, in %",
        "kind in ('renewed license', 'expiring license') and is_in_period",
    ),
}

_SIGNED_IN: Final = f"""
    select max(active.metric_date) as last_signed_in_date, count(*) as days,
        exists (
            select from staging.stg_marketplace__users as users
            where 'actor:' || users.user_id = active.visitor_id and not users.is_deleted
                and (users.created_at at time zone 'UTC')::date <= cell.metric_date
        ) as is_user,
        active.visitor_id
    from cell
    inner join rollups.visitor_active_days as active on active.metric_date {IN_SPAN} and active.is_signed_in
    group by active.visitor_id, cell.metric_date
"""
_ACTORS: Final = {
    "users_active": Value("count(*)", "number of users who were signed in in the period", "is_user"),
    "actors_unknown": Value(
        "count(*)", "number of actors of the period that are no user, or a deleted one", "not is_user"
    ),
}

_COHORT: Final = """
    select lifespans.first_date,
        exists (
            select from rollups.visitor_active_days as active
            where active.visitor_id = lifespans.visitor_id
                and active.metric_date >= cell.cohort_week + 7 * cell.week_number
                and active.metric_date < cell.cohort_week + 7 * cell.week_number + 7
        ) as is_active,
        lifespans.visitor_id
    from cell
    inner join rollups.visitor_lifespans as lifespans
        on lifespans.first_date >= cell.cohort_week and lifespans.first_date < cell.cohort_week + 7
"""
_COHORT_VALUES: Final = {
    "cohort_visitors": Value("count(*)", "number of visitors whose first day is in the cohort's week"),
    "visitors": Value("count(*)", "number of visitors of the cohort with an event in the week", "is_active"),
    "retention_rate": Value(
        percentage("count(*) filter (where is_active)", "count(*)"),
        "visitors of the cohort with an event in the week / visitors of the cohort, in %",
    ),
}

_PUBLISHED: Final = f"""
    select published.event_date as metric_date, published.run_id
    from cell
    inner join ops.published_days as published on published.event_date {IN_SPAN}
"""
_MISSING: Final = Value(
    "(select last_date from cell) - greatest((select first_date from cell),"
    " (select min(event_date) from ops.published_days)) + 1 - count(*)",
    "days since the period's first day, or the first published one, less the published days",
)


def platform_cells() -> list[Cells]:
    """Return the cells of the marts about the whole platform, and of the periods themselves."""
    return [
        Cells(
            "platform_metrics",
            _DAYS,
            {"revenue_total_cents": _REVENUE, "revenue_growth_pct": _REVENUE_GROWTH},
            Span.PERIOD,
        ),
        Cells("platform_metrics", _ITEMS, _PRODUCT_VALUES, Span.PERIOD),
        Cells("platform_metrics", _SIGNED_IN, _ACTORS, Span.PERIOD),
        Cells("cohort_retention", _COHORT, _COHORT_VALUES, Span.COHORT_WEEK, reads=("rollups.visitor_active_days",)),
        Cells("periods", _PUBLISHED, {"days_missing": _MISSING}, Span.PERIOD),
    ]
