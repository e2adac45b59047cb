"""Relations between the periods of every mart: a longer one has what a shorter one has, and all has the most."""

from itertools import pairwise

from tests.support.pipeline import Pipeline

PERIODS = ("today", "7d", "30d", "90d", "1y", "all")
# By mart the columns that name a row, and those that add something up. Spend is none of them: a refund lessens it.
ADDITIVE = {
    "asset_metrics": (
        ("ip_asset_id",),
        ("total_views", "total_clicks", "total_conversions", "total_revenue_cents", "unique_visitors"),
    ),
    "asset_top_referrers": (("ip_asset_id", "referrer"), ("views",)),
    "creator_dashboard": (("creator_id",), ("total_views", "total_licenses", "total_revenue_cents")),
    "creator_top_assets": (("creator_id", "ip_asset_id"), ("views", "licenses", "revenue_cents")),
    "creator_traffic_sources": (("creator_id", "utm_source"), ("visits", "conversions")),
    "creator_revenue_timeline": (("creator_id", "metric_date"), ("revenue_cents",)),
    "brand_campaign_metrics": (
        ("brand_id", "project_id"),
        ("total_impressions", "total_clicks", "total_conversions", "total_revenue_cents"),
    ),
    "brand_campaign_assets": (("brand_id", "project_id", "ip_asset_id"), ("views", "clicks")),
    "platform_metrics": (
        (),
        (
            *("users_total", "users_new", "users_active", "actors_unknown", "creators_total", "creators_active"),
            *("brands_total", "brands_active", "assets_total", "assets_uploaded", "licenses_total"),
            *("licenses_created", "revenue_total_cents"),
        ),
    ),
    "platform_revenue_timeline": (("metric_date",), ("revenue_cents",)),
}
# Of these a longer period may leave a row out, for it shows the ten best only.
TOP_TENS = ("asset_top_referrers", "creator_top_assets", "creator_traffic_sources")


def assert_longer_periods_have_no_less(pipeline: Pipeline, *marts: str) -> None:
    """Compare each period of these marts, by default of all, with the next longer one."""
    for mart in marts or ADDITIVE:
        keys, columns = ADDITIVE[mart]
        same = " and ".join(["true", *(f"longer.{key} is not distinct from shorter.{key}" for key in keys)])
        less = " or ".join(f"longer.{column} < shorter.{column}" for column in columns)
        lost = "false" if mart in TOP_TENS else "longer.period is null"
        for short, long in pairwise(PERIODS):
            found = pipeline.rows(
                f"select * from marts.{mart} as shorter"
                f" left join marts.{mart} as longer on longer.period = %s and {same}"
                f" where shorter.period = %s and ({lost} or {less})",
                long,
                short,
            )
            assert not found, f"{mart}: {long} has less than {short}: {found[:3]}"
