"""Weeks, months and periods against their days: as they are built they agree, and every number that is changed by hand
is found, with its day.
"""

from datetime import date

import pytest

from quality_checks.periods import asset_periods_match_daily_metrics, weeks_and_months_add_up_to_their_days
from tests.integration.dbt_project.test_periods import change_assets
from tests.support import application_tables
from tests.support.pipeline import START, Pipeline
from warehouse.window import ONE_DAY, Window

pytestmark = pytest.mark.models("asset_metrics", "weekly_metrics", "monthly_metrics", "daily_metrics_by_channel")

LAST = START + 9 * ONE_DAY
PUBLISHED = Window(START, LAST)
WINDOW = Window.day(LAST)

# What is changed, and how many groups of weeks and of months are wrong then.
SPANS = [
    *(
        (f"update build.{unit}ly_metrics set {column} = {column} + 1 where metric_date <= date '{LAST}'", unit)
        for unit in ("week", "month")
        for column in ("views", "clicks", "conversions", "revenue_cents", "engagement_time")
    ),
    ("update build.weekly_metrics set unique_visitors = 0", "week"),
    ("update build.monthly_metrics set unique_visitors = unique_visitors + 1000", "month"),
    ("delete from build.weekly_metrics where ip_asset_id = 'asset-0'", "week"),
    ("insert into build.monthly_metrics select (jsonb_populate_record(m, '{\"ip_asset_id\": \"nobody''s\"}')).*"
     " from build.monthly_metrics as m limit 1", "month"),
]  # fmt: skip
PERIODS = [
    (f"update build.asset_metrics set {column} = {column} + 1 where period = '{period}' and ip_asset_id = 'asset-0'",
     column.removeprefix("total_"))
    for period in ("today", "7d")
    for column in ("total_views", "total_clicks", "total_conversions", "total_revenue_cents", "unique_visitors")
]  # fmt: skip


@pytest.fixture
def built(pipeline: Pipeline) -> Pipeline:
    """Nine days that are published, and one that is built."""
    change_assets(pipeline, application_tables.DDL)
    change_assets(
        pipeline,
        "insert into ip_assets select 'asset-' || n, 'Title', 'image', 'user', now(), null"
        " from generate_series(0, 1) as n",
    )
    for day in Window(START, LAST + ONE_DAY).days():
        pipeline.land(day, [event(day, kind, asset) for kind in KINDS for asset in ("asset-0", "asset-1")])
    pipeline.run(PUBLISHED)
    pipeline.run(WINDOW)
    return pipeline


KINDS = ("asset_viewed", "license_clicked", "license_created")


def event(day: date, kind: str, asset: str) -> dict[str, object]:
    """One of a visitor who comes every day."""
    return {
        "eventType": kind,
        "occurredAt": f"{day}T12:00:00Z",
        "idempotencyKey": f"{day} {kind} {asset}",
        "anonymousId": "device",
        "ipAssetId": asset,
        "props": {"revenueCents": 5, "engagementTime": 1.5},
    }


def test_what_is_coarser_than_a_day_trips_its_check_as_soon_as_it_differs_from_the_days(built: Pipeline) -> None:
    assert weeks_and_months_add_up_to_their_days(built.connection, WINDOW).passed
    assert asset_periods_match_daily_metrics(built.connection, WINDOW).passed

    for damage, unit in SPANS:
        with built.connection.transaction(force_rollback=True):
            built.connection.execute(damage)  # type: ignore[call-overload]
            outcome = weeks_and_months_add_up_to_their_days(built.connection, WINDOW)
            assert outcome.blocks, damage
            assert outcome.days == (LAST,), damage
            assert {row["unit"] for row in outcome.sample} == {unit}, damage

    for damage, column in PERIODS:
        with built.connection.transaction(force_rollback=True):
            built.connection.execute(damage)  # type: ignore[call-overload]
            outcome = asset_periods_match_daily_metrics(built.connection, WINDOW)
            assert outcome.blocks, damage
            assert (outcome.days, outcome.observed) == ((LAST,), {"wrong_asset_periods": 1}), damage
            [row] = outcome.sample
            assert (row["ip_asset_id"], row[column]) == ("asset-0", -1), damage

    # A published day that is not of the window counts as well.
    with built.connection.transaction(force_rollback=True):
        built.connection.execute("update marts.daily_metrics set views = views + 1 where metric_date = %s", [START])
        assert not weeks_and_months_add_up_to_their_days(built.connection, WINDOW).passed
        assert asset_periods_match_daily_metrics(built.connection, WINDOW).passed
