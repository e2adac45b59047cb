"""The functions `asset_metrics` over a period.

Who may read mart asset_metrics gets its numbers. Creators and brands get those of the days that they may see.
"""

from typing import Final

from publishing.metric_functions.asset_functions import BY_DAY, TOP_REFERRERS, TOTALS
from publishing.metric_functions.declarations import INVOKER, MetricFunction, body
from warehouse.roles.readers import ALL_READERS

_PERIOD: Final = "asset_id text, period text"

# The session's own right decides, which a row policy would not replace: the mart has none.
_SPAN: Final = """
    select * into span from marts.period_span(period);
    if to_regclass('marts.asset_metrics') is not null and has_table_privilege('marts.asset_metrics', 'select') then
        select * into shown from marts.asset_metrics as assets
        where assets.ip_asset_id = asset_id and assets.period = {function}.period;
        if found then
            select * into span from marts.period_span(period, shown.metric_date);
        end if;
        reads_mart := found;
    end if;
"""
_RANGE: Final = "asset_id, coalesce(span.first_published_date, span.last_date), span.last_date + 1, true"


def _text(function: str, mart: str, range_: str) -> str:
    """Return the body: from the mart, or over the days of the period."""
    return f"""
#variable_conflict use_column
declare
    span record;
    shown record;
    reads_mart boolean := false;
begin
{_SPAN.format(function=function)}
    if reads_mart then
        {mart}
    else
        {range_}
    end if;
end
"""


def _rows(part: str, result: str, mart: str) -> MetricFunction:
    name = f"asset_metrics_{part}"
    text = _text(name, mart, f"return query select * from marts.{name}({_RANGE});")
    return MetricFunction(
        f"marts.{name}",
        _PERIOD,
        body(result, f"{INVOKER} rows 10", text),
        "The function over a range of days, for a period: today, 7d, 30d, 90d, 1y or all. SQLSTATE WH001: no such"
        " period; WH002: no such asset.",
        ALL_READERS,
    )


_TOTALS_OF_MART: Final = """return query select shown.title, shown.total_views, shown.total_clicks,
            shown.total_conversions, shown.total_revenue_cents, shown.unique_visitors,
            shown.avg_engagement_time::numeric, shown.conversion_rate::numeric, shown.click_through_rate::numeric;"""
_REFERRERS_OF_MART: Final = """return query select referrers.rank, referrers.referrer, referrers.views
        from marts.asset_top_referrers as referrers
        where referrers.ip_asset_id = asset_id and referrers.period = asset_metrics_top_referrers.period
        order by referrers.rank;"""

_ANSWER_OF_MART: Final = """answer := answer || jsonb_build_object(
            'totals', (
                select to_jsonb(part) - 'title'
                from marts.asset_metrics_totals(asset_id, asset_metrics.period) as part
            ),
            'top_referrers', (
                select coalesce(jsonb_agg(to_jsonb(part) order by part.rank), '[]')
                from marts.asset_metrics_top_referrers(asset_id, asset_metrics.period) as part
            )
        );"""
_ANSWER: Final = f"""
#variable_conflict use_column
declare
    span record;
    shown record;
    reads_mart boolean := false;
    answer jsonb;
begin
{_SPAN.format(function="asset_metrics")}
    answer := marts.asset_metrics({_RANGE});
    if reads_mart then
        {_ANSWER_OF_MART}
    end if;
    return answer || jsonb_build_object(
        'period', asset_metrics.period, 'start', span.first_date,
        'notes', (
            select coalesce(jsonb_agg(distinct note), '[]')
            from (
                select unnest(span.notes)
                union all
                select jsonb_array_elements_text(answer -> 'notes')
            ) as notes(note)
        )
    );
end
"""

ASSET_PERIOD_FUNCTIONS: Final = (
    _rows("totals", TOTALS, _TOTALS_OF_MART),
    _rows("by_day", BY_DAY, f"return query select * from marts.asset_metrics_by_day({_RANGE});"),
    _rows("top_referrers", TOP_REFERRERS, _REFERRERS_OF_MART),
    MetricFunction(
        "marts.asset_metrics",
        _PERIOD,
        body("returns jsonb", INVOKER, _ANSWER),
        "Totals, days and top referrers of an asset in a period: today, 7d, 30d, 90d, 1y or all, with notes on what is"
        " missing. SQLSTATE WH001: no such period; WH002: no such asset.",
        ALL_READERS,
    ),
)
