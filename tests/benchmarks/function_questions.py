"""Metric queries of the read benchmark: calls of the SQL functions, and the rows below the marts that they read."""

from dataclasses import dataclass
from typing import Final

# A page with metric queries feels slow beyond this; of each, nineteen of twenty must be there by then.
FUNCTION_LIMIT_MS: Final = 50.0


@dataclass(frozen=True)
class FunctionQuestion:
    """A call of a metric function by one of the roles: bi, creator (the portal), or owner."""

    name: str
    call: str
    role: str = "bi"


def _asset(days: int) -> str:
    return f"marts.asset_metrics(%(asset)s, %(last)s::date - {days - 1}, %(last)s::date + 1, true)"


FUNCTION_QUESTIONS: Final = (
    FunctionQuestion("asset_metrics over 30 days", _asset(30)),
    FunctionQuestion("asset_metrics over 365 days", _asset(365)),
    FunctionQuestion("asset_metrics of period 30d", "marts.asset_metrics(%(asset)s, '30d')"),
    FunctionQuestion("asset_metrics of period all", "marts.asset_metrics(%(asset)s, 'all')"),
    FunctionQuestion("asset_metrics over 30 days, a creator", _asset(30), "creator"),
    FunctionQuestion("asset_metrics over 365 days, a creator", _asset(365), "creator"),
    FunctionQuestion("creator_dashboard of period 30d", "marts.creator_dashboard(%(creator)s, '30d')"),
    FunctionQuestion("creator_dashboard of period 1y", "marts.creator_dashboard(%(creator)s, '1y')"),
    FunctionQuestion(
        "creator_dashboard of period 1y, a creator", "marts.creator_dashboard(%(creator)s, '1y')", "creator"
    ),
    FunctionQuestion("brand_campaigns of period 30d", "marts.brand_campaigns(%(brand)s, '30d')"),
    FunctionQuestion("platform_metrics of period 1y", "marts.platform_metrics('1y')"),
    FunctionQuestion("entity_events, 100 of an asset", "marts.entity_events(%(asset)s, 'asset', 100)", "owner"),
    FunctionQuestion("entity_events, all of an asset", "marts.entity_events(%(asset)s, 'asset', 10000)", "owner"),
    FunctionQuestion("entity_events, 100 of a user", "marts.entity_events(%(user)s, 'user', 100)", "owner"),
)

# Shares follow the number of the asset, as in bench_reads.py; a brand licenses every tenth asset.
ROLLUP_ROWS: Final = """
insert into ops.published_days (event_date, build_id, run_id, change_id, model_version)
select metric_date, '', '', 1, '' from marts.published_days on conflict do nothing;
insert into rollups.visitor_asset_days (metric_date, ip_asset_id, visitor_id)
select distinct event_date, ip_asset_id, coalesce(actor_id, anonymous_id) from raw.events where ip_asset_id is not null;
insert into rollups.referrer_days (metric_date, ip_asset_id, referrer, views)
select event_date, ip_asset_id, 'host-' || load.line_number % 20 || '.example', count(*)
from raw.events as load where ip_asset_id is not null and event_type = 'asset_viewed' group by 1, 2, 3;
insert into rollups.creator_asset_days (metric_date, creator_id, ip_asset_id, views, clicks, conversions, revenue_cents)
select metric_date, 'creator-' || substring(ip_asset_id from 7)::int % {creators}, ip_asset_id, views, clicks,
    conversions, revenue_cents
from marts.daily_metrics;
insert into rollups.brand_asset_days (metric_date, brand_id, ip_asset_id, views, clicks, conversions, revenue_cents)
select metric_date, 'brand-' || substring(ip_asset_id from 7)::int % {brands}, ip_asset_id, views, clicks, conversions,
    revenue_cents
from marts.daily_metrics where ip_asset_id like '%0';
"""
