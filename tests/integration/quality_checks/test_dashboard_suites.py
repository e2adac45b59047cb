"""The expectation suites of the dashboards on rows by hand: what a mart may show passes, and every expectation is
tripped by a row that differs in one way.
"""

from collections import Counter
from datetime import date

import pytest

from quality_checks.expectations import run_suites
from quality_checks.suite import load_suite, suite_names
from tests.integration.quality_checks.dashboard_rows import ALSO_GOOD, GOOD, TABLES, Row
from tests.integration.quality_checks.handmade import Rows, run_suite
from tests.integration.quality_checks.test_expectations import label, tripped
from warehouse.window import Window

# A run of older days rebuilds the snapshots too.
WINDOW = Window(date(2026, 10, 2), date(2026, 10, 5))

_PERIOD: list[tuple[Row, str]] = [
    ({"period": None}, "missing_values to_be_between"),
    ({"period": "yesterday"}, "period to_be_in_set"),
]


def _negative(*columns: str) -> list[tuple[Row, str]]:
    return [({column: -1}, f"{column} to_be_between") for column in columns]


# What is changed in a good row, and the one expectation that must trip on it.
DAMAGE: dict[str, list[tuple[Row, str]]] = {
    "asset_metrics": [
        *_PERIOD,
        *_negative("total_revenue_cents", "unique_visitors", "avg_engagement_time"),
        ({"total_views": -3, "conversion_rate": "-33.3333", "click_through_rate": "-133.3333"},
         "total_views to_be_between"),
        ({"total_clicks": -3, "click_through_rate": -100}, "total_clicks to_be_between"),
        ({"total_conversions": -3, "conversion_rate": -100}, "total_conversions to_be_between"),
        ({"conversion_rate": None}, "missing_values to_be_between"),
        ({"conversion_rate": "33.3334"}, "is_conversion_rate to_be_in_set"),
        ({"conversion_rate": 0, "total_views": 1, "click_through_rate": 400}, "is_conversion_rate to_be_in_set"),
        ({"click_through_rate": "1.3333"}, "is_click_through_rate to_be_in_set"),
        ({"unique_visitors": 0}, "has_visitors_for_engagement to_be_in_set"),
    ],
    "asset_top_referrers": [
        *_PERIOD,
        ({"rank": 2}, "rank to_be_equal"),
        ({"views": 0}, "views to_be_between"),
    ],
    "creator_dashboard": [
        *_PERIOD,
        *_negative("total_revenue_cents"),
        ({"total_views": -1, "avg_conversion_rate": -200}, "total_views to_be_between"),
        ({"total_licenses": -3, "avg_conversion_rate": -100}, "total_licenses to_be_between"),
        ({"avg_conversion_rate": "0.6667"}, "is_conversion_rate to_be_in_set"),
        ({"avg_conversion_rate": None}, "missing_values to_be_between"),
        ({"total_views": 0}, "is_conversion_rate to_be_in_set"),
    ],
    "creator_top_assets": [
        *_PERIOD,
        ({"rank": 3}, "rank to_be_equal"),
        *_negative("views", "licenses", "revenue_cents"),
    ],
    "creator_traffic_sources": [
        *_PERIOD,
        ({"rank": 2}, "rank to_be_equal"),
        *_negative("visits", "conversions"),
    ],
    "creator_revenue_timeline": [
        ({"creator_id": None}, "missing_values to_be_between"),
        ({"metric_date": "2026-09-30"}, "is_day_of_period to_be_in_set"),
        ({"metric_date": "2026-10-08"}, "is_day_of_period to_be_in_set"),
        *_negative("revenue_cents"),
    ],
    "brand_campaign_metrics": [
        *_PERIOD,
        *_negative("total_impressions", "total_clicks", "total_conversions"),
        ({"total_revenue_cents": -7, "roi_pct": -200}, "total_revenue_cents to_be_between"),
        ({"roi_pct": "42.8571"}, "is_return_on_spend to_be_in_set"),
        ({"total_spend_cents": 0}, "is_return_on_spend to_be_in_set"),
    ],
    "brand_campaign_assets": [
        *_PERIOD,
        ({"views": -3, "ctr": "-33.3333"}, "views to_be_between"),
        ({"clicks": -3, "ctr": -100}, "clicks to_be_between"),
        ({"ctr": "0.3333"}, "is_click_through_rate to_be_in_set"),
    ],
    "platform_metrics": [
        # It has one row a period, and no day of another one's.
        ({"period": None}, "missing_values to_be_between"),
        ({"period": "yesterday"}, "period to_be_in_set"),
        ({"users_active": None}, "missing_values to_be_between"),
        ({"actors_unknown": None}, "missing_values to_be_between"),
        *(
            ({column: -1}, "least_number to_be_between")
            for column in ("users_new", "users_active", "actors_unknown", "assets_uploaded")
        ),
        ({"assets_avg_views_per_asset": "-0.0001"}, "least_number to_be_between"),
        ({"users_new": 6}, "least_from_before to_be_between"),
        ({"users_active": 6}, "least_from_before to_be_between"),
        ({"assets_uploaded": 2}, "least_from_before to_be_between"),
        ({"licenses_created": 3}, "least_from_before to_be_between"),
        ({"licenses_renewal_rate": "100.0001"}, "licenses_renewal_rate to_be_between"),
        ({"licenses_renewal_rate": -1}, "licenses_renewal_rate to_be_between"),
        ({"licenses_expiring_renewal_rate": 101}, "licenses_expiring_renewal_rate to_be_between"),
        ({"revenue_growth_pct": "-100.0001"}, "revenue_growth_pct to_be_between"),
        ({"creators_avg_revenue_per_creator": "3.3334"}, "is_avg_revenue to_be_in_set"),
        ({"creators_active": 0}, "is_avg_revenue to_be_in_set"),
        ({"brands_active": 0}, "spend_of_nobody to_be_between"),
        ({"assets_total": 0}, "views_of_nothing to_be_between"),
        ({"licenses_created": 0}, "renewals_of_nothing to_be_between"),
        ({"period": "all"}, "has_period_before to_be_in_set"),
    ],
    "platform_revenue_timeline": [
        ({"period": None}, "missing_values to_be_between"),
        ({"period": "yesterday"}, "period to_be_in_set"),
        ({"metric_date": "2026-10-06"}, "is_day_of_period to_be_in_set"),
        *_negative("revenue_cents"),
    ],
    "cohort_retention": [
        ({"metric_date": None}, "missing_values to_be_between"),
        ({"cohort_week": "2026-09-29"}, "weekday to_be_between"),
        ({"week_number": -1}, "week_number to_be_between"),
        ({"week_number": 2}, "days_so_far to_be_between"),
        ({"visitors": -3, "retention_rate": -100}, "visitors to_be_between"),
        ({"visitors": 4, "retention_rate": "133.3333"}, "absent_visitors to_be_between"),
        ({"week_number": 0}, "is_whole_in_week_0 to_be_in_set"),
        ({"retention_rate": "66.6666"}, "is_retention_rate to_be_in_set"),
    ],
}  # fmt: skip


@pytest.fixture
def marts(rows: Rows) -> Rows:
    """Every mart of the dashboards, with rows that are as they may be."""
    rows.execute(TABLES)
    for mart, row in GOOD.items():
        for changed in ({}, *ALSO_GOOD[mart]):
            rows.insert(("build", mart), {**row, **changed})
    return rows


def test_every_mart_of_the_dashboards_has_rows_here() -> None:
    snapshots = {name for name in suite_names() if load_suite(name).date_column is None}
    assert snapshots == GOOD.keys() == DAMAGE.keys()


def test_good_rows_pass(marts: Rows, warehouse) -> None:
    for suite, outcome in zip(
        GOOD, run_suites(warehouse.sqlalchemy_url, [*map(load_suite, GOOD)], WINDOW), strict=True
    ):
        assert (outcome.name, outcome.passed) == (load_suite(suite).name, True), outcome.observed
        row_count = 1 if suite == "creator_revenue_timeline" else 1 + len(ALSO_GOOD[suite])
        assert outcome.observed["rows"] == row_count


def test_marts_without_rows_pass(rows: Rows, warehouse) -> None:
    rows.execute(TABLES)
    assert all(outcome.passed for outcome in run_suites(warehouse.sqlalchemy_url, [*map(load_suite, GOOD)], WINDOW))


@pytest.mark.parametrize("suite", GOOD)
def test_each_kind_of_damage_trips_its_expectation_and_the_last_day_of_the_run(
    suite: str, marts: Rows, warehouse
) -> None:
    # Rows of other owners than each other's, so that the places of one are not those of the next.
    owner = next((column for column in GOOD[suite] if column in ("creator_id", "ip_asset_id", "brand_id")), None)
    for number, (damage, _) in enumerate(DAMAGE[suite]):
        key: Row = {owner: f"damaged {number}"} if owner else {}
        marts.insert(("build", suite), {**GOOD[suite], **key, **damage})
    outcome = run_suite(warehouse.sqlalchemy_url, suite, WINDOW)
    assert outcome.blocks
    assert tripped(outcome) == expected(suite)
    assert outcome.days == (date(2026, 10, 4),)


def expected(suite: str) -> Counter[str]:
    return Counter(expectation for _, expectation in DAMAGE[suite])


@pytest.mark.parametrize("suite", GOOD)
def test_every_expectation_of_every_suite_is_tripped_by_some_damage(suite: str) -> None:
    # A rank that is not from 1 to 10 is out of order too, and has a test of its own.
    alone = {"rank to_be_between"} if "rank" in GOOD[suite] else set()
    assert {label(declared) for declared in load_suite(suite).expectations} == expected(suite).keys() | alone


@pytest.mark.parametrize(
    ("suite", "listed"),
    [
        ("asset_top_referrers", "referrer"),
        ("creator_top_assets", "ip_asset_id"),
        ("creator_traffic_sources", "utm_source"),
    ],
)
def test_a_list_of_more_than_ten_and_one_in_another_order_fail(suite: str, listed: str, marts: Rows, warehouse) -> None:
    owner = "ip_asset_id" if suite == "asset_top_referrers" else "creator_id"
    names = [f"{number:02}" for number in range(11)]
    for rank, name in enumerate(names, 1):
        marts.insert(("build", suite), {**GOOD[suite], owner: "eleven", listed: name, "rank": rank})
    assert tripped(run_suite(warehouse.sqlalchemy_url, suite, WINDOW)) == {"rank to_be_between": 1}

    marts.execute(f"delete from build.{suite} where {owner} = 'eleven' and rank > 2")
    marts.execute(f"update build.{suite} set rank = 3 - rank where {owner} = 'eleven'")
    assert tripped(run_suite(warehouse.sqlalchemy_url, suite, WINDOW)) == {"rank to_be_equal": 2}
