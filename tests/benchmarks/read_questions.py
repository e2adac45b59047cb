"""Queries of dashboards: of the marts, and the same of raw events."""

from dataclasses import dataclass
from typing import Final

_LOOKED_AT: Final = "event_date > %(last)s::date - %(days)s and event_date <= %(last)s::date and not is_bot"
_COUNTS: Final = """
    count(*) filter (where event_type = 'asset_viewed') as views,
    count(*) filter (where event_type in ('asset_downloaded', 'license_clicked')) as clicks,
    count(*) filter (where event_type = 'license_created') as conversions,
    sum(revenue_cents) as revenue_cents
"""
_OWNED: Final = """
    raw.events inner join raw.ip_ownerships as shares using (ip_asset_id)
"""


@dataclass(frozen=True)
class Question:
    """One query of a dashboard, and how raw events would be asked over so many days; empty where they cannot say."""

    name: str
    marts: str
    days: int = 30
    raw: str = ""


def _of_asset(what: str, more: str = "") -> str:
    return f"select {what} from raw.events where {_LOOKED_AT} and ip_asset_id = %(asset)s {more}"


def _of_creator(what: str, more: str = "") -> str:
    return f"select {what} from {_OWNED} where {_LOOKED_AT} and creator_id = %(creator)s {more}"


_VISITORS: Final = "count(distinct coalesce(actor_id, anonymous_id, session_id::text))"

QUESTIONS: Final = (
    Question(
        "asset_periods",
        "select * from marts.asset_metrics where ip_asset_id = %(asset)s",
        365,
        _of_asset(f"{_COUNTS}, {_VISITORS}, sum(engagement_time)"),
    ),
    Question(
        "asset_referrers_30d",
        "select * from marts.asset_top_referrers where ip_asset_id = %(asset)s and period = '30d' order by rank",
        30,
        "select substring(referrer from '//([^/]*)'), count(*) from raw.events"
        f" left join raw.attribution using (event_date, event_key) where {_LOOKED_AT} and ip_asset_id = %(asset)s"
        " and event_type = 'asset_viewed' group by 1 order by 2 desc limit 10",
    ),
    Question(
        "asset_days_90d",
        "select metric_date, sum(views), sum(clicks), sum(conversions), sum(revenue_cents) from marts.daily_metrics"
        " where ip_asset_id = %(asset)s and metric_date > %(last)s::date - 90 group by 1 order by 1",
        90,
        _of_asset(f"event_date, {_COUNTS}", "group by 1 order by 1"),
    ),
    Question(
        "asset_weeks",
        "select * from marts.weekly_metrics where ip_asset_id = %(asset)s and metric_date > %(last)s::date - 90",
        90,
        _of_asset(f"date_trunc('week', event_date::timestamp), {_COUNTS}, {_VISITORS}", "group by 1"),
    ),
    Question(
        "asset_months",
        "select * from marts.monthly_metrics where ip_asset_id = %(asset)s order by metric_date",
        365,
        _of_asset(f"date_trunc('month', event_date::timestamp), {_COUNTS}, {_VISITORS}", "group by 1"),
    ),
    Question(
        "best_assets_30d",
        "select ip_asset_id, title, total_views from marts.asset_metrics where period = '30d'"
        " order by total_views desc, ip_asset_id limit 20",
        30,
        f"select ip_asset_id, {_COUNTS} from raw.events where {_LOOKED_AT} group by 1 order by 2 desc limit 20",
    ),
    Question(
        "creator_periods",
        "select * from marts.creator_dashboard where creator_id = %(creator)s",
        365,
        _of_creator(_COUNTS),
    ),
    Question(
        "creator_top_assets_30d",
        "select * from marts.creator_top_assets where creator_id = %(creator)s and period = '30d' order by rank",
        30,
        _of_creator(f"ip_asset_id, {_COUNTS}", "group by 1 order by 5 desc limit 10"),
    ),
    Question(
        "creator_timeline_1y",
        "select metric_date, revenue_cents from marts.creator_revenue_timeline"
        " where creator_id = %(creator)s and period = '1y' order by metric_date",
        365,
        _of_creator("event_date, sum(revenue_cents)", "group by 1 order by 1"),
    ),
    Question(
        "creator_sources_30d",
        "select * from marts.creator_traffic_sources where creator_id = %(creator)s and period = '30d' order by rank",
        30,
        "select coalesce(utm_source_normalized, 'direct'), count(distinct (event_date, session_id)) from raw.events"
        " inner join raw.ip_ownerships as shares using (ip_asset_id)"
        " left join raw.attribution using (event_date, event_key)"
        f" where {_LOOKED_AT} and creator_id = %(creator)s group by 1 order by 2 desc limit 10",
    ),
    Question(
        "brand_campaigns", "select * from marts.brand_campaign_metrics where brand_id = %(brand)s and period = '30d'"
    ),
    Question("brand_assets", "select * from marts.brand_campaign_assets where brand_id = %(brand)s and period = '30d'"),
    Question("platform_periods", "select * from marts.platform_metrics"),
    Question(
        "platform_timeline_1y",
        "select metric_date, revenue_cents from marts.platform_revenue_timeline where period = '1y' order by 1",
        365,
        f"select event_date, sum(revenue_cents) from raw.events where {_LOOKED_AT} group by 1 order by 1",
    ),
    Question(
        "attribution_30d",
        "select model, channel, sum(credited_cents) from marts.attribution_daily"
        " where metric_date > %(last)s::date - 30 and model = 'linear' group by 1, 2",
    ),
    Question(
        "roas_30d",
        "select channel, sum(cost_cents), sum(credited_cents) from marts.roas_daily"
        " where metric_date > %(last)s::date - 30 and model = 'last_touch' group by 1",
    ),
    Question("funnel_30d", "select * from marts.funnel_daily where metric_date > %(last)s::date - 30 order by 1, 2"),
    Question("cohorts", "select * from marts.cohort_retention order by cohort_week, week_number"),
)
