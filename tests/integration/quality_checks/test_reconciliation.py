"""Raw events against the daily metrics: what agrees passes, and every kind of difference is named by day and column."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from uuid import UUID

import psycopg
import pytest

from quality_checks.outcome import CheckOutcome, Severity
from quality_checks.reconciliation import (
    channels_add_up_to_daily_metrics,
    daily_metrics_match_raw_events,
    unique_visitors_stay_within_events,
)
from tests.integration.quality_checks.handmade import Rows
from warehouse.window import Window

DAY_1, DAY_2 = date(2026, 10, 1), date(2026, 10, 2)
WINDOW = Window(DAY_1, date(2026, 10, 3))
SESSION = UUID(int=7)


@pytest.fixture
def built(rows: Rows) -> Rows:
    """Two days of events and the metrics that belong to them, worked out by hand."""
    rows.event("2026-10-01T00:00:00", props='{"revenueCents": 5}', revenue_cents=5, engagement_time="0.125")
    rows.event("2026-10-01T08:00:00", event_type="license_clicked", anonymous_id="v2")
    rows.event("2026-10-01T09:00:00", event_type="asset_downloaded", ip_asset_id=None, license_id="l1")
    rows.event("2026-10-01T09:00:00", event_type="asset_polished", revenue_cents=1, engagement_time="1.5")
    rows.event("2026-10-01T10:00:00", ip_asset_id=None, revenue_cents=700)  # names nothing: outside
    rows.event("2026-10-01T11:00:00", is_bot=True, revenue_cents=900)
    rows.event("2026-10-02T23:59:59.999999", event_type="license_created", project_id="p1", revenue_cents=2**40)
    rows.event("2026-10-02T12:00:00", event_type="license_created", project_id="p1", anonymous_id=None)
    rows.metrics(DAY_1, clicks=1, revenue_cents=6, unique_visitors=2, engagement_time="1.625")
    rows.metrics(DAY_1, license_id="l1", views=0, clicks=1)
    rows.metrics(DAY_2, project_id="p1", views=0, conversions=2, revenue_cents=2**40)
    rows.by_channel(DAY_1, clicks=1, unique_visitors=1)
    rows.by_channel(DAY_1, channel="Email", views=0, revenue_cents=6, unique_visitors=2, engagement_time="1.625")
    rows.by_channel(DAY_1, license_id="l1", views=0, clicks=1)
    rows.by_channel(DAY_2, project_id="p1", views=0, conversions=2, revenue_cents=2**40)
    return rows


def test_metrics_that_follow_from_the_events_pass(built: Rows, connection: psycopg.Connection) -> None:
    outcome = daily_metrics_match_raw_events(connection, WINDOW)
    assert (outcome.passed, outcome.severity, outcome.sample) == (True, Severity.ERROR, ())
    assert outcome.observed == {
        "events": 8,
        "bots": 1,
        "outside_events": 1,
        "counted_events": 6,
        "groups": 3,
        "raw_views": 1,
        "built_views": 1,
        "raw_clicks": 2,
        "built_clicks": 2,
        "raw_conversions": 2,
        "built_conversions": 2,
        "raw_revenue_cents": 2**40 + 6,
        "built_revenue_cents": 2**40 + 6,
        "raw_engagement_time": "1.625",
        "built_engagement_time": "1.625",
        "bad_days": 0,
    }
    assert unique_visitors_stay_within_events(connection, WINDOW).passed
    assert channels_add_up_to_daily_metrics(connection, WINDOW).passed


def test_an_empty_window_passes(rows: Rows, connection: psycopg.Connection) -> None:
    assert daily_metrics_match_raw_events(connection, WINDOW).passed
    assert unique_visitors_stay_within_events(connection, WINDOW).passed
    assert channels_add_up_to_daily_metrics(connection, WINDOW).passed


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ("views = views + 1", ("views", 1, 2)),
        ("clicks = clicks - 1", ("clicks", 2, 1)),
        ("conversions = conversions + 1", ("conversions", 0, 1)),
        ("revenue_cents = revenue_cents + 1", ("revenue_cents", 6, 7)),
        ("engagement_time = engagement_time + 0.001", ("engagement_time", "1.625", "1.626")),
    ],
)
def test_a_column_that_differs_by_the_least_amount_fails_on_its_day(
    change: str, difference: tuple[str, object, object], built: Rows, connection: psycopg.Connection
) -> None:
    built.execute(f"update build.daily_metrics set {change} where metric_date = '2026-10-01' and license_id is null")
    outcome = daily_metrics_match_raw_events(connection, WINDOW)
    column, raw, shown = difference
    assert outcome.blocks
    assert outcome.days == (DAY_1,)
    assert outcome.sample == ({"metric_date": "2026-10-01", "column": column, "raw": raw, "built": shown},)


def columns_and_days(outcome: CheckOutcome) -> tuple[set[object], tuple[date, ...]]:
    assert not outcome.passed
    return {row["column"] for row in outcome.sample}, outcome.days


def test_a_day_of_events_without_metrics_fails(built: Rows, connection: psycopg.Connection) -> None:
    built.execute("delete from build.daily_metrics where metric_date = '2026-10-02'")
    outcome = daily_metrics_match_raw_events(connection, WINDOW)
    assert columns_and_days(outcome) == ({"conversions", "revenue_cents", "groups"}, (DAY_2,))


def test_metrics_that_stayed_behind_after_their_events_went_fail(built: Rows, connection: psycopg.Connection) -> None:
    built.execute("delete from raw.events where event_date = '2026-10-02'")
    outcome = daily_metrics_match_raw_events(connection, WINDOW)
    assert columns_and_days(outcome) == ({"conversions", "revenue_cents", "groups"}, (DAY_2,))


def test_a_group_of_zeros_that_no_event_stands_for_fails(built: Rows, connection: psycopg.Connection) -> None:
    built.execute("delete from raw.events where event_date = '2026-10-02'")
    built.execute("delete from build.daily_metrics where metric_date = '2026-10-02'")
    built.metrics(DAY_2, views=0, unique_visitors=0)
    assert columns_and_days(daily_metrics_match_raw_events(connection, WINDOW)) == ({"groups"}, (DAY_2,))


def test_bots_and_events_that_name_nothing_must_not_be_in_the_metrics(
    built: Rows, connection: psycopg.Connection
) -> None:
    built.execute("update build.daily_metrics set views = views + 2, revenue_cents = revenue_cents + 1600"
                  " where metric_date = '2026-10-01' and license_id is null")  # fmt: skip
    outcome = daily_metrics_match_raw_events(connection, WINDOW)
    assert columns_and_days(outcome) == ({"views", "revenue_cents"}, (DAY_1,))


@pytest.mark.parametrize("moment", ["2026-09-30T23:59:59.999999", "2026-10-03T00:00:00"])
def test_days_outside_the_window_are_not_judged(moment: str, built: Rows, connection: psycopg.Connection) -> None:
    built.event(moment)
    built.metrics(date(2026, 9, 29))
    built.metrics(date(2026, 10, 4), unique_visitors=3)
    built.by_channel(date(2026, 10, 5))
    assert daily_metrics_match_raw_events(connection, WINDOW).passed
    assert unique_visitors_stay_within_events(connection, WINDOW).passed
    assert channels_add_up_to_daily_metrics(connection, WINDOW).passed


@pytest.mark.parametrize("visitors", [0, 5])
def test_a_day_with_no_visitor_or_with_more_visitors_than_events_fails(
    visitors: int, built: Rows, connection: psycopg.Connection
) -> None:
    # Day 1 has four counted events with a visitor: one in the group of license l1, which keeps its visitor.
    built.execute("update build.daily_metrics set unique_visitors = 0 where metric_date = '2026-10-01'")
    built.execute("update build.daily_metrics set unique_visitors = %s"
                  " where metric_date = '2026-10-01' and license_id is null", visitors)  # fmt: skip
    outcome = unique_visitors_stay_within_events(connection, WINDOW)
    assert outcome.blocks
    assert outcome.days == (DAY_1,)
    assert outcome.sample == ({"metric_date": "2026-10-01", "column": "unique_visitors", "raw": 4, "built": visitors},)


def test_events_without_actor_device_and_session_need_no_visitor(rows: Rows, connection: psycopg.Connection) -> None:
    rows.event("2026-10-01T08:00:00", source="system", anonymous_id=None)
    rows.metrics(DAY_1, unique_visitors=0)
    assert unique_visitors_stay_within_events(connection, WINDOW).passed


def test_a_session_alone_is_a_visitor(rows: Rows, connection: psycopg.Connection) -> None:
    rows.event("2026-10-01T08:00:00", anonymous_id=None, session_id=SESSION)
    rows.metrics(DAY_1, unique_visitors=0)
    assert not unique_visitors_stay_within_events(connection, WINDOW).passed


CHANNEL_DAMAGE: dict[str, tuple[Callable[[Rows], object], dict[str, object]]] = {
    **{
        f"a channel with more {column}": (
            lambda rows, column=column: rows.execute(
                f"update build.daily_metrics_by_channel set {column} = {column} + 1"
                " where channel = 'Email' and metric_date = '2026-10-01'"
            ),
            {column: -1},
        )
        for column in ("views", "clicks", "conversions", "revenue_cents", "engagement_time")
    },
    "a channel that is missing": (
        lambda rows: rows.execute("delete from build.daily_metrics_by_channel where channel = 'Email'"),
        {"revenue_cents": 6, "engagement_time": "1.625", "channel_rows": 1},
    ),
    "a group without channels": (
        lambda rows: rows.metrics(DAY_1, project_id="p9", views=0),
        {"daily_rows": 1, "channel_rows": 0},
    ),
    "a channel without its group": (
        lambda rows: rows.by_channel(DAY_1, project_id="p9", views=0),
        {"daily_rows": 0, "channel_rows": 1},
    ),
    "fewer visitors than the largest channel": (
        lambda rows: rows.execute("update build.daily_metrics set unique_visitors = 1 where clicks = 1"),
        {"has_possible_visitors": False},
    ),
    "more visitors than all channels": (
        lambda rows: rows.execute("update build.daily_metrics set unique_visitors = 4 where unique_visitors = 2"),
        {"has_possible_visitors": False},
    ),
    "a group written twice": (
        lambda rows: rows.metrics(DAY_1, license_id="l1", views=0, clicks=0),
        {"daily_rows": 2},
    ),
    "a number that is null": (
        lambda rows: rows.execute(
            "update build.daily_metrics_by_channel set clicks = null where license_id is not null"
        ),
        {"clicks": 1},
    ),
}


@pytest.mark.parametrize("damage", CHANNEL_DAMAGE)
def test_channels_that_do_not_add_up_fail_and_show_the_excess(
    damage: str, built: Rows, connection: psycopg.Connection
) -> None:
    apply, shown = CHANNEL_DAMAGE[damage]
    apply(built)
    outcome = channels_add_up_to_daily_metrics(connection, WINDOW)
    assert outcome.blocks
    assert outcome.days == (DAY_1,)
    assert outcome.observed["wrong_groups"] == 1
    assert outcome.sample[0].items() >= shown.items()


def test_ids_that_are_null_are_one_group_and_not_the_same_as_an_id(built: Rows, connection: psycopg.Connection) -> None:
    built.execute("update build.daily_metrics_by_channel set license_id = 'l2' where license_id = 'l1'")
    outcome = channels_add_up_to_daily_metrics(connection, WINDOW)
    assert {row["license_id"] for row in outcome.sample} == {"l1", "l2"}


def test_every_bad_day_is_named_though_only_a_few_groups_of_each_are_shown(
    rows: Rows, connection: psycopg.Connection
) -> None:
    for number in range(30):
        rows.metrics(DAY_1, project_id=f"p{number:02}")
    rows.metrics(DAY_2)
    outcome = channels_add_up_to_daily_metrics(connection, WINDOW)
    assert outcome.days == (DAY_1, DAY_2)
    assert outcome.observed == {"wrong_groups": 31, "bad_days": 2}
    assert len(outcome.sample) == 4


def test_amounts_beyond_32_bits_and_fractions_are_compared_exactly(rows: Rows, connection: psycopg.Connection) -> None:
    rows.event("2026-10-01T08:00:00", revenue_cents=2**62, engagement_time=Decimal("10000000000000.001"))
    rows.event("2026-10-01T08:00:00", revenue_cents=2**62, engagement_time=Decimal("0.001"))
    rows.metrics(DAY_1, views=2, revenue_cents=2**63 - 1, engagement_time=Decimal("10000000000000.002"))
    outcome = daily_metrics_match_raw_events(connection, WINDOW)
    assert outcome.sample == (
        {"metric_date": "2026-10-01", "column": "revenue_cents", "raw": 2**63, "built": 2**63 - 1},
    )
