"""The functions `creator_dashboard`: summary, top assets, revenue by day and sources of traffic of a creator."""

from typing import Final

from publishing.metric_functions.declarations import INVOKER, MetricFunction, body, not_found
from warehouse.roles.readers import BI_READER, CREATORS

CALLERS: Final = (BI_READER.name, CREATORS.portal.name, CREATORS.group)
_PARAMETERS: Final = "creator_id text, period text"
_ERRORS: Final = "SQLSTATE WH001: no such period; WH002: no such creator, or another one's id."

_SUMMARY: Final = f"""
#variable_conflict use_column
begin
    perform marts.period_span(creator_dashboard_summary.period);
    return query
    select
        creators.metric_date, creators.display_name, creators.total_views, creators.total_licenses,
        creators.total_revenue_cents, creators.avg_conversion_rate::numeric
    from marts.creator_dashboard as creators
    where creators.creator_id = creator_dashboard_summary.creator_id
        and creators.period = creator_dashboard_summary.period;
    if not found then
        {not_found("creator", "creator_dashboard_summary.creator_id")}
    end if;
end
"""

# By part: the columns of the result, the mart, and its order.
_PARTS: Final = {
    "top_assets": (
        "rank integer, ip_asset_id text, title text, views bigint, licenses bigint, revenue_cents bigint",
        "rank",
        "The ten assets of a creator with most revenue in a period.",
    ),
    "revenue_timeline": (
        "metric_date date, revenue_cents bigint",
        "metric_date",
        "Revenue of a creator's assets on each published day of a period.",
    ),
    "traffic_sources": (
        "rank integer, utm_source text, visits bigint, conversions bigint",
        "rank",
        "The ten sources of most visits to a creator's assets in a period.",
    ),
}

_ANSWER: Final = """
declare
    span record;
    summary record;
begin
    select * into summary
    from marts.creator_dashboard_summary(creator_dashboard.creator_id, creator_dashboard.period) as part;
    select * into span from marts.period_span(creator_dashboard.period, summary.metric_date);
    return jsonb_build_object(
        'creator_id', creator_dashboard.creator_id, 'display_name', summary.display_name,
        'period', creator_dashboard.period, 'start', span.first_date, 'end', span.last_date + 1,
        'summary', to_jsonb(summary) - 'metric_date' - 'display_name',
        {parts},
        'notes', to_jsonb(span.notes)
    );
end
"""


def part_of_answer(function: str, part: str, order: str, parameters: str) -> str:
    """Return the field of an answer that has the rows of a part, in their order."""
    return (
        f"'{part}', (select coalesce(jsonb_agg(to_jsonb(part) order by part.{order}), '[]')"
        f" from marts.{function}_{part}({parameters}) as part)"
    )


def _part(part: str) -> MetricFunction:
    columns, order, description = _PARTS[part]
    name = f"creator_dashboard_{part}"
    names = ", ".join(f"part.{column.split()[0]}" for column in columns.split(", "))
    text = f"""
#variable_conflict use_column
begin
    perform marts.creator_dashboard_summary({name}.creator_id, {name}.period);
    return query
    select {names}
    from marts.creator_{part} as part
    where part.creator_id = {name}.creator_id and part.period = {name}.period
    order by part.{order};
end
"""
    return MetricFunction(
        f"marts.{name}",
        _PARAMETERS,
        body(f"returns table ({columns})", f"{INVOKER} rows 30", text),
        f"{description} {_ERRORS}",
        CALLERS,
    )


_FIELDS: Final = ",\n        ".join(
    part_of_answer("creator_dashboard", part, order, "creator_dashboard.creator_id, creator_dashboard.period")
    for part, (_, order, _) in _PARTS.items()
)

CREATOR_FUNCTIONS: Final = (
    MetricFunction(
        "marts.creator_dashboard_summary",
        _PARAMETERS,
        body(
            "returns table (metric_date date, display_name text, total_views bigint, total_licenses bigint,"
            " total_revenue_cents bigint, avg_conversion_rate numeric)",
            f"{INVOKER} rows 1",
            _SUMMARY,
        ),
        f"Totals of a creator in a period. {_ERRORS}",
        CALLERS,
    ),
    *(_part(part) for part in _PARTS),
    MetricFunction(
        "marts.creator_dashboard",
        _PARAMETERS,
        body("returns jsonb", INVOKER, _ANSWER.format(parts=_FIELDS)),
        f"Summary, top assets, revenue by day and traffic sources of a creator in a period. {_ERRORS}",
        CALLERS,
    ),
)
