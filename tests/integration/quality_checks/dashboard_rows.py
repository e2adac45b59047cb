"""Valid rows of the dashboards by hand, for the suites that check each row by itself."""

# The marts without constraints: what a suite finds must not depend on them.
TABLES = """
create table build.periods (period text, first_date date, last_date date);
insert into build.periods values ('today', '2026-10-07', '2026-10-07'), ('7d', '2026-10-01', '2026-10-07');
create table build.asset_metrics (
    period text, ip_asset_id text, total_views bigint, total_clicks bigint, total_conversions bigint,
    total_revenue_cents bigint, unique_visitors bigint, avg_engagement_time numeric(38, 4),
    conversion_rate numeric(38, 4), click_through_rate numeric(38, 4)
);
create table build.asset_top_referrers (period text, ip_asset_id text, referrer text, rank integer, views bigint);
create table build.creator_dashboard (
    period text, creator_id text, total_views bigint, total_licenses bigint, total_revenue_cents bigint,
    avg_conversion_rate numeric(38, 4)
);
create table build.creator_top_assets (
    period text, creator_id text, ip_asset_id text, title text, rank integer, views bigint, licenses bigint,
    revenue_cents bigint
);
create table build.creator_traffic_sources (
    period text, creator_id text, utm_source text, rank integer, visits bigint, conversions bigint
);
create table build.creator_revenue_timeline (period text, metric_date date, creator_id text, revenue_cents bigint);
create table build.brand_campaign_metrics (
    period text, brand_id text, project_id text, total_spend_cents bigint, total_impressions bigint,
    total_clicks bigint, total_conversions bigint, total_revenue_cents bigint, roi_pct numeric(38, 4)
);
create table build.brand_campaign_assets (
    period text, brand_id text, project_id text, ip_asset_id text, views bigint, clicks bigint, ctr numeric(38, 4)
);
create table build.platform_metrics (
    period text, users_total bigint, users_new bigint, users_active bigint,
    actors_unknown bigint, creators_total bigint,
    creators_active bigint, creators_avg_revenue_per_creator numeric(38, 4), brands_total bigint,
    brands_active bigint, brands_avg_spend_per_brand numeric(38, 4), assets_total bigint, assets_uploaded bigint,
    assets_avg_views_per_asset numeric(38, 4), licenses_total bigint, licenses_created bigint,
    licenses_renewal_rate numeric(38, 4), licenses_expiring_renewal_rate numeric(38, 4),
    revenue_total_cents bigint, revenue_growth_pct numeric(38, 4)
);
create table build.platform_revenue_timeline (period text, metric_date date, revenue_cents bigint);
create table build.cohort_retention (
    metric_date date, cohort_week date, week_number integer, cohort_visitors bigint, visitors bigint,
    retention_rate numeric(38, 4)
);
"""

Row = dict[str, object]

# One row of each mart that is as it may be.
GOOD: dict[str, Row] = {
    "asset_metrics": {
        "period": "7d", "ip_asset_id": "a", "total_views": 3, "total_clicks": 4, "total_conversions": 1,
        "total_revenue_cents": 5, "unique_visitors": 2, "avg_engagement_time": "1.5",
        "conversion_rate": "33.3333", "click_through_rate": "133.3333",
    },
    "asset_top_referrers": {"period": "7d", "ip_asset_id": "a", "referrer": "a.example", "rank": 1, "views": 1},
    "creator_dashboard": {
        "period": "7d", "creator_id": "c", "total_views": 3, "total_licenses": 2, "total_revenue_cents": 5,
        "avg_conversion_rate": "66.6667",
    },
    "creator_top_assets": {
        "period": "7d", "creator_id": "c", "ip_asset_id": "a", "title": None, "rank": 1, "views": 0, "licenses": 0,
        "revenue_cents": 0,
    },
    "creator_traffic_sources": {
        "period": "7d", "creator_id": "c", "utm_source": "direct", "rank": 1, "visits": 0, "conversions": 1,
    },
    "creator_revenue_timeline": {
        "period": "7d", "metric_date": "2026-10-01", "creator_id": "c", "revenue_cents": 0,
    },
    "brand_campaign_metrics": {
        "period": "7d", "brand_id": "b", "project_id": None, "total_spend_cents": 7, "total_impressions": 0,
        "total_clicks": 0, "total_conversions": 0, "total_revenue_cents": 3, "roi_pct": "-57.1429",
    },
    "brand_campaign_assets": {
        "period": "7d", "brand_id": "b", "project_id": None, "ip_asset_id": "a", "views": 3, "clicks": 1,
        "ctr": "33.3333",
    },
    "platform_metrics": {
        "period": "7d", "users_total": 5, "users_new": 3, "users_active": 5, "actors_unknown": 2,
        "creators_total": 2,
        "creators_active": 3, "creators_avg_revenue_per_creator": "3.3333", "brands_total": 1, "brands_active": 1,
        "brands_avg_spend_per_brand": "-2.5", "assets_total": 1, "assets_uploaded": 0,
        "assets_avg_views_per_asset": 4, "licenses_total": 2, "licenses_created": 1, "licenses_renewal_rate": 100,
        "licenses_expiring_renewal_rate": 0, "revenue_total_cents": 10, "revenue_growth_pct": -100,
    },
    "platform_revenue_timeline": {"period": "today", "metric_date": "2026-10-07", "revenue_cents": 0},
    "cohort_retention": {
        "metric_date": "2026-10-07", "cohort_week": "2026-09-28", "week_number": 1, "cohort_visitors": 3,
        "visitors": 2, "retention_rate": "66.6667",
    },
}  # fmt: skip

# More valid rows: no denominators, whole cohorts, unknown growth, a spend of refunds, places in a row.
ALSO_GOOD: dict[str, list[Row]] = {
    "asset_metrics": [
        {"total_views": 0, "conversion_rate": 0, "click_through_rate": 0},
        {"unique_visitors": 0, "avg_engagement_time": 0},
        {"total_views": 2**62, "conversion_rate": 0, "click_through_rate": 0},
        {"total_views": 1, "total_clicks": 2**62, "conversion_rate": 100, "click_through_rate": 100 * 2**62},
    ],
    "asset_top_referrers": [{"referrer": "b.example", "rank": 2}],
    "creator_dashboard": [{"total_views": 0, "avg_conversion_rate": 0}],
    "creator_top_assets": [{"ip_asset_id": "b", "rank": 2}, {"ip_asset_id": "a", "title": "T", "rank": 3}],
    "creator_traffic_sources": [{"utm_source": "email", "rank": 2}],
    "creator_revenue_timeline": [{"period": "90d", "revenue_cents": -1}],
    "brand_campaign_metrics": [
        {"total_spend_cents": 0, "roi_pct": 0},
        {"total_spend_cents": -6, "roi_pct": -150},
        {"total_spend_cents": 1, "total_revenue_cents": 2**63 - 1, "roi_pct": 100 * (2**63 - 2)},
    ],
    "brand_campaign_assets": [{"views": 0, "ctr": 0}],
    "platform_metrics": [
        {"period": "all", "revenue_growth_pct": None},
        {"creators_active": 0, "creators_avg_revenue_per_creator": 0},
        {"brands_active": 0, "brands_avg_spend_per_brand": 0},
    ],
    "platform_revenue_timeline": [],
    "cohort_retention": [
        {"cohort_week": "2026-10-05", "week_number": 0, "visitors": 3, "retention_rate": 100},
        {"week_number": 0, "cohort_visitors": 0, "visitors": 0, "retention_rate": 0},
    ],
}
