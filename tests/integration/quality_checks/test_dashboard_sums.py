"""Creators, brands, the platform and the periods counted again: as they are built they agree, and every number of
theirs that is changed by hand is found, with its day.
"""

from collections.abc import Iterator, Mapping
from datetime import date

import pytest

from publishing import gates
from quality_checks.brands import campaign_metrics_match_licensed_assets, campaign_periods_add_up
from quality_checks.creator_lists import creator_lists_match_daily_metrics
from quality_checks.creators import (
    creator_metrics_match_owned_assets,
    creator_periods_add_up,
)
from quality_checks.expectations import run_suites
from quality_checks.outcome import CheckOutcome
from quality_checks.periods import periods_end_with_the_last_day
from quality_checks.platform import platform_days_add_up, platform_periods_add_up
from quality_checks.registry import RuleCheck
from quality_checks.suite import Suite
from tests.integration.quality_checks.dashboards import LAST, WINDOW, publish_and_build
from tests.support.pipeline import START, Pipeline
from warehouse.window import ONE_DAY

pytestmark = pytest.mark.models(
    "creator_dashboard", "creator_top_assets", "creator_traffic_sources", "brand_campaign_metrics",
    "brand_campaign_assets", "platform_metrics", "daily_metrics_by_channel",
)  # fmt: skip

CHECKS: tuple[RuleCheck, ...] = (
    creator_metrics_match_owned_assets,
    creator_periods_add_up,
    creator_lists_match_daily_metrics,
    campaign_metrics_match_licensed_assets,
    campaign_periods_add_up,
    platform_days_add_up,
    platform_periods_add_up,
    periods_end_with_the_last_day,
)
SUMS = ("views", "clicks", "conversions", "revenue_cents")
# The numbers of a mart with days, and who counts them again.
DAILY: Mapping[str, tuple[RuleCheck, tuple[str, ...]]] = {
    "creator_asset_days": (creator_metrics_match_owned_assets, SUMS),
    "creator_daily_metrics": (creator_metrics_match_owned_assets, SUMS),
    "creator_source_days": (creator_metrics_match_owned_assets, ("conversions",)),
    "brand_asset_days": (campaign_metrics_match_licensed_assets, SUMS),
    "platform_daily_metrics": (platform_days_add_up, SUMS),
}
# Those of a mart with periods; lists are counted for the shortest two.
PERIODS: Mapping[str, tuple[RuleCheck, tuple[str, ...]]] = {
    "creator_dashboard": (creator_periods_add_up, ("total_views", "total_licenses", "total_revenue_cents")),
    "brand_campaign_metrics": (
        campaign_periods_add_up,
        ("total_spend_cents", "total_impressions", "total_clicks", "total_conversions", "total_revenue_cents"),
    ),
    "brand_campaign_assets": (campaign_periods_add_up, ("views", "clicks")),
    "platform_metrics": (
        platform_periods_add_up,
        (
            "users_total", "users_new", "users_active", "creators_total", "creators_active",
            "creators_avg_revenue_per_creator", "brands_total", "brands_active", "brands_avg_spend_per_brand",
            "assets_total", "assets_uploaded", "assets_avg_views_per_asset", "licenses_total", "licenses_created",
            "licenses_renewal_rate", "licenses_expiring_renewal_rate", "revenue_total_cents",
        ),
    ),
}  # fmt: skip
LISTS = {
    "creator_top_assets": ("rank", "views", "licenses", "revenue_cents"),
    "creator_traffic_sources": ("rank", "visits", "conversions"),
}
ALL_PERIODS = ("today", "7d", "30d", "90d", "1y", "all")

ROWS: tuple[tuple[str, RuleCheck, date], ...] = (
    (f"delete from build.creator_daily_metrics where metric_date = '{WINDOW.start}' and creator_id = 'ana'",
     creator_metrics_match_owned_assets, WINDOW.start),
    (f"update build.creator_asset_days set creator_id = 'idle' where metric_date = '{LAST}' and creator_id = 'ben'",
     creator_metrics_match_owned_assets, LAST),
    ("delete from build.creator_dashboard where creator_id = 'idle' and period = '90d'", creator_periods_add_up, LAST),
    ("insert into build.creator_dashboard select metric_date, period, 'gone', display_name, 0, 0, 0, 0"
     " from build.creator_dashboard where creator_id = 'idle' and period = 'all'", creator_periods_add_up, LAST),
    ("delete from build.creator_top_assets where period = 'today' and rank = 10",
     creator_lists_match_daily_metrics, LAST),
    ("delete from build.creator_traffic_sources where period = '7d'", creator_lists_match_daily_metrics, LAST),
    (f"update build.brand_asset_days set project_id = null where metric_date = '{LAST}' and ip_asset_id = 'asset-2'",
     campaign_metrics_match_licensed_assets, LAST),
    ("delete from build.brand_campaign_metrics where project_id is null and brand_id = 'idle' and period = 'today'",
     campaign_periods_add_up, LAST),
    ("delete from build.brand_campaign_assets where project_id is null and brand_id = 'brand' and period = '1y'",
     campaign_periods_add_up, LAST),
    (f"delete from build.platform_daily_metrics where metric_date = '{LAST}'", platform_days_add_up, LAST),
    ("delete from build.platform_metrics where period = '30d'", platform_periods_add_up, LAST),
    ("update build.platform_metrics set revenue_growth_pct = 1 where period = 'all'", platform_periods_add_up, LAST),
    ("update build.platform_metrics set revenue_growth_pct = revenue_growth_pct + 0.0001 where period = 'today'",
     platform_periods_add_up, LAST),
)  # fmt: skip


def damage() -> Iterator[tuple[str, RuleCheck, date]]:
    """Every number, changed by one in one row, with who must find it, on which day."""
    for mart, (check, columns) in DAILY.items():
        for column in columns:
            for day in WINDOW.days():
                yield (
                    f"update build.{mart} set {column} = {column} + 1 where ctid ="
                    f" (select min(ctid) from build.{mart} where metric_date = '{day}')",
                    check,
                    day,
                )
    for mart, (check, columns) in PERIODS.items():
        for column in columns:
            for period in ("today", "30d", "all"):
                yield one_more(mart, column, period), check, LAST
    for mart, columns in LISTS.items():
        for column in columns:
            for period in ("today", "7d"):
                yield one_more(mart, column, period), creator_lists_match_daily_metrics, LAST
    # Rows that are missing, too many, or another owner's, and growth from nothing.
    yield from ROWS
    # Of all the first day is null.
    earlier = "coalesce(first_date, last_date) - 1"
    for wrong in (f"first_date = {earlier}", "last_date = last_date - 1", "days_missing = days_missing + 1"):
        for period in ALL_PERIODS:
            yield (
                f"update build.periods set {wrong} where period = '{period}'",
                periods_end_with_the_last_day,
                LAST,
            )
    yield "delete from build.periods where period = '7d'", periods_end_with_the_last_day, LAST


def one_more(mart: str, column: str, period: str) -> str:
    return (
        f"update build.{mart} set {column} = {column} + 1 where ctid ="
        f" (select min(ctid) from build.{mart} where period = '{period}')"
    )


def outcome_of(pipeline: Pipeline, check: RuleCheck, *damages: str) -> CheckOutcome:
    """Return the outcome of a check after some damage, which is rolled back."""
    with pipeline.connection.transaction(force_rollback=True):
        for statement in damages:
            changed = pipeline.connection.execute(statement)  # type: ignore[call-overload]
            assert changed.rowcount > 0, statement
        return check(pipeline.connection, WINDOW)


def test_what_is_changed_by_one_trips_its_check_on_its_day(pipeline: Pipeline) -> None:
    publish_and_build(pipeline)
    for check in CHECKS:
        assert outcome_of(pipeline, check).passed
    snapshots = [suite for suite in gates.BUILD_CHECKS if isinstance(suite, Suite) and suite.date_column is None]
    suites = run_suites(pipeline.warehouse.sqlalchemy_url, snapshots, WINDOW)
    assert [outcome.observed for outcome in suites if not outcome.passed] == []

    for statement, check, day in damage():
        outcome = outcome_of(pipeline, check, statement)
        assert outcome.blocks, statement
        assert outcome.days == (day,), statement
        assert outcome.sample, statement

    # What owners have is taken from the product, and an asset's number counts for each of them.
    moved = "update raw.ip_ownerships set creator_id = 'idle' where creator_id = 'ben' and ip_asset_id = 'asset-0'"
    rows = outcome_of(pipeline, creator_metrics_match_owned_assets, moved).sample
    assert {row["creator_id"] for row in rows} == {"ben", "idle"}
    ended = "update raw.licenses set end_date = start_date where id = 'first'"
    assert not outcome_of(pipeline, campaign_metrics_match_licensed_assets, ended).passed
    group = "update build.daily_metrics set {} = {} + 1 where metric_date = '{}' and ip_asset_id = 'asset-0'"
    for column in SUMS:
        more = group.format(column, column, LAST)
        assert outcome_of(pipeline, platform_days_add_up, more).days == (LAST,)
        rows = outcome_of(pipeline, creator_metrics_match_owned_assets, more).sample
        mine = [row for row in rows if row["mart"] == "creator_asset_days"]
        assert [(row["creator_id"], row[column]) for row in mine] == [("ana", 1), ("ben", 1)]

    # Of what was published, a day that has left a period, one that is rebuilt, and the period itself count.
    for published in (
        f"update marts.creator_daily_metrics set views = views + 1 where metric_date = '{LAST - 7 * ONE_DAY}'",
        f"update rollups.brand_asset_days set views = views + 1 where metric_date = '{LAST - 7 * ONE_DAY}'",
        "update marts.creator_dashboard set total_views = total_views + 1",
        "update marts.brand_campaign_metrics set total_clicks = total_clicks + 1",
        "delete from marts.brand_campaign_assets",
        "delete from marts.periods",
    ):
        for check in (creator_periods_add_up, campaign_periods_add_up):
            # A period that was wrong, and is right now, is published.
            assert outcome_of(pipeline, check, published).passed, published
    longer = "update marts.creator_daily_metrics set revenue_cents = revenue_cents + 1 where metric_date = '{}'"
    wrong = outcome_of(pipeline, creator_periods_add_up, longer.format(START + 3 * ONE_DAY),
                       "delete from marts.periods",
                   "delete from marts.creator_dashboard")  # fmt: skip
    assert {row["period"] for row in wrong.sample} == {*ALL_PERIODS} - {"today"}
    assert {row["total_revenue_cents"] for row in wrong.sample} == {1}
