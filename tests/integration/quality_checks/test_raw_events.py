"""Warnings about events that are kept by contract: counted, shown, never in the way of publication."""

from datetime import date

import psycopg
import pytest

from quality_checks.raw_events import event_keys_unique_across_days, event_types_are_registered
from tests.integration.quality_checks.handmade import Rows
from warehouse.window import Window

DAY_1, DAY_2 = date(2026, 10, 1), date(2026, 10, 2)
WINDOW = Window(DAY_1, date(2026, 10, 3))


def test_types_of_the_registry_pass(rows: Rows, connection: psycopg.Connection) -> None:
    rows.event("2026-10-01T08:00:00", event_type="license_created")
    assert event_types_are_registered(connection, WINDOW).passed


def test_types_that_the_registry_lacks_are_counted_most_frequent_first(
    rows: Rows, connection: psycopg.Connection
) -> None:
    rows.event("2026-10-01T00:00:00", event_type="asset_polished")
    rows.event("2026-10-02T08:00:00", event_type="zebra_seen")
    rows.event("2026-10-02T23:59:59.999999", event_type="zebra_seen")
    rows.event("2026-10-02T08:00:00")
    outcome = event_types_are_registered(connection, WINDOW)
    assert not outcome.passed
    assert not outcome.blocks
    assert outcome.days == (DAY_1, DAY_2)
    assert outcome.observed == {"unregistered_types": 2, "events": 3}
    assert outcome.sample == (
        {"event_type": "zebra_seen", "events": 2},
        {"event_type": "asset_polished", "events": 1},
    )


@pytest.mark.parametrize("moment", ["2026-09-30T23:59:59.999999", "2026-10-03T00:00:00"])
def test_unregistered_types_outside_the_window_are_not_judged(
    moment: str, rows: Rows, connection: psycopg.Connection
) -> None:
    rows.event(moment, event_type="asset_polished")
    assert event_types_are_registered(connection, WINDOW).passed


def test_a_key_on_two_days_of_the_window_is_counted_once(rows: Rows, connection: psycopg.Connection) -> None:
    rows.event("2026-10-01T08:00:00", event_key="k")
    rows.event("2026-10-02T08:00:00", event_key="k")
    rows.event("2026-10-02T08:00:00", event_key="other")
    outcome = event_keys_unique_across_days(connection, WINDOW)
    assert not outcome.passed
    assert not outcome.blocks
    assert outcome.days == (DAY_1, DAY_2)
    assert outcome.observed == {"repeated_keys": 1}
    assert outcome.sample[0] == {"event_date": "2026-10-01", "keys": 1, "example": "k"}


@pytest.mark.parametrize(
    ("other_day", "found"), [("2026-09-28", True), ("2026-10-05", True), ("2026-09-27", False), ("2026-10-06", False)]
)
def test_a_key_is_looked_for_on_three_days_to_both_sides_of_the_window(
    other_day: str, found: bool, rows: Rows, connection: psycopg.Connection
) -> None:
    rows.event("2026-10-01T08:00:00", event_key="k")
    rows.event("2026-10-02T08:00:00", event_key="l")
    rows.event(f"{other_day}T08:00:00", event_key="k")
    rows.event(f"{other_day}T08:00:00", event_key="l")
    assert event_keys_unique_across_days(connection, WINDOW).passed is not found


def test_keys_that_repeat_only_outside_the_window_are_not_counted(rows: Rows, connection: psycopg.Connection) -> None:
    rows.event("2026-09-30T08:00:00", event_key="k")
    rows.event("2026-10-03T08:00:00", event_key="k")
    assert event_keys_unique_across_days(connection, WINDOW).passed
