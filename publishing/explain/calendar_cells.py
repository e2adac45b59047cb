"""Explained cells of weekly_metrics and monthly_metrics: their rows are days, visitors, and the period before."""

from typing import Final

from publishing.explain.cells import Cells, Span, Value, growth, rate, same, total

_ENTITY: Final = ("project_id", "ip_asset_id", "license_id")
_SUMS: Final = ("views", "clicks", "conversions", "revenue_cents", "engagement_time")
# A growth column has the name of its measure, but for revenue.
_GROWTH: Final = {
    "revenue_growth_pct" if measure == "revenue_cents" else f"{measure}_growth_pct": measure
    for measure in (*_SUMS, "unique_visitors")
}
_DAYS: Final = f"""
    select days.metric_date, days.views, days.clicks, days.conversions, days.revenue_cents, days.unique_visitors,
        days.engagement_time
    from cell
    inner join marts.daily_metrics as days on days.metric_date {{in_span}} and {same(_ENTITY, "days")}
"""
_VISITORS: Final = f"""
    select min(visits.metric_date) as first_date, max(visits.metric_date) as last_date, count(*) as days,
        visits.visitor_id
    from cell
    inner join rollups.visitor_asset_days as visits on visits.metric_date {{in_span}} and {same(_ENTITY, "visits")}
    group by visits.visitor_id
"""
_VISITOR_DAYS: Final = ("rollups.visitor_asset_days",)
_PUBLISHED: Final = """
    select event_date as metric_date, run_id
    from ops.published_days
    where event_date between $1 and $2
"""


def _calendar_cells(mart: str, span: Span, previous: str, name: str) -> list[Cells]:
    in_span = "between $1 and $2"
    sums = {measure: total(measure, f"the days of the {name}") for measure in _SUMS}
    days = "(select count(*) from ops.published_days where event_date between $1 and $2)"
    averages = {
        f"avg_daily_{measure}": Value(
            rate(f"sum({measure})", days), f"sum of {measure} over the days / number of published days"
        )
        for measure in (*_SUMS, "unique_visitors")
    }
    both = f"""
        select shown.metric_date, {", ".join(f"shown.{measure}" for measure in (*_SUMS, "unique_visitors"))}
        from cell
        inner join marts.{mart} as shown
            on shown.metric_date in (cell.metric_date, {previous}) and {same(_ENTITY, "shown")}
    """
    grown = {}
    for column, measure in _GROWTH.items():
        of = f"max({measure}) filter (where metric_date {{}} $1)"
        grown[column] = Value(
            growth(of.format("="), of.format("<")), f"({measure} - {measure} of the {name} before) / the latter, in %"
        )
    visitors = Value("count(*)", f"number of distinct visitors of the {name}")
    published = Value("count(*)", f"number of published days of the {name}")
    return [
        Cells(mart, _DAYS.format(in_span=in_span), sums | averages, span),
        Cells(mart, _VISITORS.format(in_span=in_span), {"unique_visitors": visitors}, span, _VISITOR_DAYS),
        Cells(mart, _PUBLISHED, {"published_days": published}, span),
        Cells(mart, both, grown, span),
    ]


def calendar_cells() -> list[Cells]:
    """Return the cells of the weekly and monthly mart."""
    return [
        *_calendar_cells("weekly_metrics", Span.WEEK, "cell.metric_date - 7", "week"),
        *_calendar_cells("monthly_metrics", Span.MONTH, "(cell.metric_date - interval '1 month')::date", "month"),
    ]
