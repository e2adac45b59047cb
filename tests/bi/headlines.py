"""SQL on the marts for every headline number, written by hand: what a dashboard has to show."""

from typing import Final

import psycopg

from dashboards.units import Unit, written

# Chart, unit, and the query with the choices of the filters as parameters.
Headline = tuple[str, Unit, str]

_DAYS: Final = "(select first_date, last_date from periods where period = %(period)s)"
_CAMPAIGNS: Final = "from brand_campaign_metrics where period = %(period)s and brand_id = %(Brand)s"
_CREATOR: Final = "from creator_dashboard where period = %(period)s and creator_id = %(Creator)s"
_ASSET: Final = "from asset_metrics where period = %(period)s and ip_asset_id = %(Asset)s"
_PLATFORM: Final = "from platform_metrics where period = %(period)s"


def _in_period(table: str) -> str:
    return f"from {table}, {_DAYS} as p where metric_date between coalesce(first_date, metric_date) and last_date"


def _landed(numbers: str) -> str:
    return f"select {numbers} from data_quality, {_DAYS} as p where metric_date >= coalesce(first_date, metric_date)"


HEADLINES: Final[dict[str, list[Headline]]] = {
    "platform": [
        ("Revenue", Unit.MONEY, f"select revenue_total_cents / 100.0 {_PLATFORM}"),
        ("Growth", Unit.PERCENT, f"select revenue_growth_pct / 100 {_PLATFORM}"),
        ("New licenses", Unit.COUNT, f"select licenses_created {_PLATFORM}"),
        ("Active users", Unit.COUNT, f"select users_active {_PLATFORM}"),
        ("Creators", Unit.COUNT, f"select creators_active {_PLATFORM}"),
        ("Brands", Unit.COUNT, f"select brands_active {_PLATFORM}"),
    ],
    "creator": [
        ("Views", Unit.COUNT, f"select total_views {_CREATOR}"),
        ("Licenses", Unit.COUNT, f"select total_licenses {_CREATOR}"),
        ("Revenue", Unit.MONEY, f"select total_revenue_cents / 100.0 {_CREATOR}"),
        ("Licenses per view", Unit.PERCENT, f"select avg_conversion_rate / 100 {_CREATOR}"),
    ],
    "brand": [
        ("Spend", Unit.MONEY, f"select sum(total_spend_cents) / 100.0 {_CAMPAIGNS}"),
        ("Campaigns", Unit.COUNT, f"select count(*) filter (where project_id is not null) {_CAMPAIGNS}"),
        ("Best return on spend", Unit.PERCENT, f"select max(roi_pct) / 100 {_CAMPAIGNS}"),
    ],
    "asset": [
        ("Views", Unit.COUNT, f"select total_views {_ASSET}"),
        ("Clicks", Unit.COUNT, f"select total_clicks {_ASSET}"),
        ("Conversions", Unit.COUNT, f"select total_conversions {_ASSET}"),
        ("Revenue", Unit.MONEY, f"select total_revenue_cents / 100.0 {_ASSET}"),
        ("Visitors", Unit.COUNT, f"select unique_visitors {_ASSET}"),
        ("Engagement", Unit.SECONDS, f"select avg_engagement_time {_ASSET}"),
    ],
    "attribution": [
        (
            "Credited revenue",
            Unit.MONEY,
            f"select sum(credited_cents) / 100.0 {_in_period('attribution_daily')} and model = %(Model)s",
        ),
        (
            "Credited conversions",
            Unit.NUMBER,
            f"select sum(credited_conversions) {_in_period('attribution_daily')} and model = %(Model)s",
        ),
        ("Ad spend", Unit.MONEY, f"select sum(cost_cents) / 100.0 {_in_period('roas_daily')} and model = %(Model)s"),
        (
            "Return on paid campaigns",
            Unit.TIMES,
            f"select sum(credited_cents) * 1.0 / sum(cost_cents) {_in_period('roas_daily')} and model = %(Model)s"
            " and spend_level in ('campaign', 'source')",
        ),
    ],
    "data_quality": [
        ("Last published day", Unit.DATE, "select max(last_published_date) from data_freshness"),
        ("Stale days", Unit.COUNT, "select count(distinct metric_date) from stale_days where state = 'stale'"),
        ("Published", Unit.COUNT, f"select count(*) {_in_period('published_days')}"),
        ("Lines read", Unit.COUNT, _landed("sum(lines_read)")),
        ("Rejected", Unit.PERCENT, _landed("sum(rejected) * 1.0 / sum(lines_read)")),
        ("Late", Unit.PERCENT, _landed("sum(late) * 1.0 / sum(accepted)")),
    ],
}


def expected(marts: psycopg.Connection, headline: Headline, choices: dict[str, str]) -> str:
    """Return what a headline chart has to show, by SQL on the marts."""
    _, unit, query = headline
    row = marts.execute(query, choices).fetchone()  # type: ignore[call-overload]
    assert row is not None, query
    (value,) = row
    if value is None:
        return "No data"
    if unit is Unit.DATE:
        return f"{value:%d %b %Y}"
    return written(unit, float(value), currency="$")
