"""The functions `platform_metrics`: the totals of the platform in a period, and revenue by day. For BI."""

from typing import Final

from publishing.metric_functions.declarations import INVOKER, MetricFunction, body
from warehouse.roles.readers import BI_READER

_CALLERS: Final = (BI_READER.name,)
_PARAMETERS: Final = "period text"
_ERRORS: Final = "SQLSTATE WH001: no such period."

_COLUMNS: Final = {
    "users_total": "bigint",
    "users_new": "bigint",
    "users_active": "bigint",
    "actors_unknown": "bigint",
    "creators_total": "bigint",
    "creators_active": "bigint",
    "creators_avg_revenue_per_creator": "numeric",
    "brands_total": "bigint",
    "brands_active": "bigint",
    "brands_avg_spend_per_brand": "numeric",
    "assets_total": "bigint",
    "assets_uploaded": "bigint",
    "assets_avg_views_per_asset": "numeric",
    "licenses_total": "bigint",
    "licenses_created": "bigint",
    "licenses_renewal_rate": "numeric",
    "licenses_expiring_renewal_rate": "numeric",
    "revenue_total_cents": "bigint",
    "revenue_growth_pct": "numeric",
}

_TOTALS: Final = f"""
#variable_conflict use_column
begin
    perform marts.period_span(platform_metrics_totals.period);
    return query
    select totals.metric_date, {", ".join(f"totals.{name}::{kind}" for name, kind in _COLUMNS.items())}
    from marts.platform_metrics as totals
    where totals.period = platform_metrics_totals.period;
end
"""

_TIMELINE: Final = """
#variable_conflict use_column
begin
    perform marts.period_span(platform_metrics_revenue_timeline.period);
    return query
    select days.metric_date, days.revenue_cents
    from marts.platform_revenue_timeline as days
    where days.period = platform_metrics_revenue_timeline.period
    order by days.metric_date;
end
"""

_ANSWER: Final = """
declare
    span record;
    totals record;
begin
    select * into totals from marts.platform_metrics_totals(platform_metrics.period) as part;
    select * into span from marts.period_span(platform_metrics.period, totals.metric_date);
    return jsonb_build_object(
        'period', platform_metrics.period, 'start', span.first_date, 'end', span.last_date + 1,
        'totals', to_jsonb(totals) - 'metric_date',
        'revenue_timeline', (
            select coalesce(jsonb_agg(to_jsonb(part) order by part.metric_date), '[]')
            from marts.platform_metrics_revenue_timeline(platform_metrics.period) as part
        ),
        'notes', to_jsonb(span.notes)
    );
end
"""

PLATFORM_FUNCTIONS: Final = (
    MetricFunction(
        "marts.platform_metrics_totals",
        _PARAMETERS,
        body(
            f"returns table (metric_date date, {', '.join(f'{name} {kind}' for name, kind in _COLUMNS.items())})",
            f"{INVOKER} rows 1",
            _TOTALS,
        ),
        f"Totals of the whole platform in a period. {_ERRORS}",
        _CALLERS,
    ),
    MetricFunction(
        "marts.platform_metrics_revenue_timeline",
        _PARAMETERS,
        body("returns table (metric_date date, revenue_cents bigint)", f"{INVOKER} rows 365", _TIMELINE),
        f"Revenue of the whole platform on each published day of a period. {_ERRORS}",
        _CALLERS,
    ),
    MetricFunction(
        "marts.platform_metrics",
        _PARAMETERS,
        body("returns jsonb", INVOKER, _ANSWER),
        f"Totals of the whole platform in a period, and its revenue by day. {_ERRORS}",
        _CALLERS,
    ),
)
