"""The expectation suites, run by Great Expectations on Postgres: every expectation is shown to hold and to trip."""

import re
from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import psycopg
import pytest

from quality_checks.outcome import CheckOutcome, Severity
from quality_checks.suite import load_suite, suite_names
from tests.integration.quality_checks.handmade import Rows, run_suite
from warehouse.window import Window

DAY_1, DAY_2, DAY_3 = (date(2026, 10, 1), date(2026, 10, 2), date(2026, 10, 3))
WINDOW = Window(DAY_1, date(2026, 10, 4))

# One row of the second day each: what is changed in a valid one, and the one expectation that must trip on it.
EVENT_DAMAGE: list[tuple[dict[str, object], str]] = [
    ({"event_key": None}, "event_key to_not_be_null"),
    ({"event_key": ""}, "event_key lengths_to_be_between"),
    ({"event_key": "k" * 256}, "event_key lengths_to_be_between"),
    ({"event_id": None}, "event_id to_not_be_null"),
    ({"event_type": None}, "event_type to_not_be_null"),
    ({"event_type": ""}, "event_type to_match_regex"),
    ({"event_type": "Asset_viewed"}, "event_type to_match_regex"),
    ({"event_type": "_viewed"}, "event_type to_match_regex"),
    ({"event_type": "v" * 101}, "event_type lengths_to_be_between"),
    ({"event_type": "viewed\n"}, "event_type to_match_regex"),
    ({"occurred_at": None}, "occurred_at to_not_be_null"),
    ({"received_at": None}, "received_at to_not_be_null"),
    ({"source": None}, "source to_not_be_null"),
    ({"source": "Web"}, "source to_be_in_set"),
    ({"actor_type": "robot"}, "actor_type to_be_in_set"),
    ({"entity_type": "planet"}, "entity_type to_be_in_set"),
    ({"entity_id": "a1"}, "is_entity_typed to_be_in_set"),
    ({"props": None}, "props_type to_not_be_null"),
    ({"props": "[]"}, "props_type to_be_in_set"),
    ({"is_bot": None}, "is_bot to_not_be_null"),
    ({"canonical_hash": None}, "canonical_hash_bytes to_not_be_null"),
    ({"canonical_hash": b"short"}, "canonical_hash_bytes to_be_between"),
    ({"occurred_at": "2026-10-01T23:59:59.999999Z"}, "event_date to_be_equal"),
    (
        {"occurred_at": "2026-10-03T00:00:00Z", "received_at": "2026-10-03T00:00:00Z"},
        "event_date to_be_equal",
    ),
    (
        {"occurred_at": "2026-10-02T08:00:00.000001Z", "received_at": "2026-10-01T08:00:00Z"},
        "seconds_before_receipt to_be_between",
    ),
    ({"revenue_cents": -1}, "revenue_cents to_be_between"),
    ({"fee_cents": -1}, "fee_cents to_be_between"),
    ({"engagement_time": "-0.001"}, "engagement_time to_be_between"),
]

METRICS_DAMAGE: list[tuple[dict[str, object], str]] = [
    ({"project_id": None, "ip_asset_id": None}, "named_entity to_not_be_null"),
    *[
        ({column: value}, f"{column} {rule}")
        for column in ("views", "clicks", "conversions", "revenue_cents", "unique_visitors", "engagement_time")
        for value, rule in ((None, "to_not_be_null"), (-1, "to_be_between"))
    ],
]
DAMAGE = {
    "raw_events": EVENT_DAMAGE,
    "daily_metrics": METRICS_DAMAGE,
    "daily_metrics_by_channel": [*METRICS_DAMAGE, ({"channel": None}, "channel to_not_be_null")],
}
# Those whose rows have days; the others are in test_dashboard_suites.py.
DAILY = [name for name in suite_names() if load_suite(name).date_column]


def label(expectation: Mapping[str, Any]) -> str:
    """An expectation in few words: its column, of a pair the first, and what is said of it."""
    arguments = expectation.get("kwargs") or expectation["arguments"]
    column = arguments.get("column") or arguments.get("column_A") or ""
    return f"{column} {re.split('_values?_', expectation['type'])[-1]}"


def tripped(outcome: CheckOutcome) -> dict[str, object]:
    """The expectations that failed, and the bad rows of each."""
    failed: Any = outcome.observed["failed"]
    return {label(item): item["bad_rows"] for item in failed}


def write(rows: Rows, suite: str, day: date, **changed: object) -> None:
    """Write a row of the table that the suite checks."""
    if suite == "raw_events":
        rows.event(f"{day}T08:00:00", **changed)
    elif suite == "daily_metrics":
        rows.metrics(day, **changed)
    else:
        rows.by_channel(day, **changed)


def good_days(rows: Rows) -> None:
    for day in (DAY_1, DAY_2, DAY_3):
        rows.event(f"{day}T00:00:00", actor_type="user", entity_type="asset", entity_id="a1", revenue_cents=0)
        rows.event(f"{day}T23:59:59.999999", event_type="v" * 100, event_key="k" * 245 + str(day))
        rows.event(f"{day}T12:00:00", received_at=f"{day - timedelta(days=1)}T12:00:00Z")
        rows.metrics(day)
        rows.metrics(day, license_id="l1")
        rows.by_channel(day)
        rows.by_channel(day, channel="Email")


@pytest.mark.parametrize(
    ("suite", "row_count"), [("raw_events", 9), ("daily_metrics", 6), ("daily_metrics_by_channel", 6)]
)
def test_good_rows_pass(suite: str, row_count: int, rows: Rows, warehouse) -> None:
    good_days(rows)
    outcome = run_suite(warehouse.sqlalchemy_url, suite, WINDOW)
    assert (outcome.name, outcome.passed, outcome.severity) == (load_suite(suite).name, True, Severity.ERROR)
    assert outcome.observed == {"rows": row_count, "expectations": len(load_suite(suite).expectations)}


@pytest.mark.parametrize("suite", DAILY)
def test_a_window_without_rows_passes(suite: str, rows: Rows, warehouse) -> None:
    outcome = run_suite(warehouse.sqlalchemy_url, suite, WINDOW)
    assert outcome.passed
    assert outcome.observed["rows"] == 0


@pytest.mark.parametrize("suite", DAILY)
def test_each_kind_of_damage_trips_its_expectation_on_its_day(
    suite: str, rows_without_constraints: Rows, warehouse
) -> None:
    good_days(rows_without_constraints)
    for number, (damage, _) in enumerate(DAMAGE[suite]):
        key = {} if suite == "raw_events" else {"project_id": f"p{number}"}
        write(rows_without_constraints, suite, DAY_2, **key | damage)
    outcome = run_suite(warehouse.sqlalchemy_url, suite, WINDOW)
    assert outcome.blocks
    assert tripped(outcome) == Counter(expectation for _, expectation in DAMAGE[suite])
    assert outcome.days == (DAY_2,)
    assert {row[load_suite(suite).date_column] for row in outcome.sample} == {"2026-10-02"}


@pytest.mark.parametrize("suite", DAILY)
def test_every_expectation_of_every_suite_is_tripped_by_some_damage(suite: str) -> None:
    in_tests_of_their_own = {
        "raw_events": {"event_date to_not_be_null"},
        "daily_metrics": {"metric_date to_not_be_null", "group_key to_be_unique"},
        "daily_metrics_by_channel": {"metric_date to_not_be_null", "group_key to_be_unique"},
    }
    declared = {label(expectation) for expectation in load_suite(suite).expectations}
    assert declared == in_tests_of_their_own[suite].union(expectation for _, expectation in DAMAGE[suite])


@pytest.mark.parametrize("suite", ["daily_metrics", "daily_metrics_by_channel"])
def test_a_group_written_twice_fails_though_its_other_ids_are_null(suite: str, rows: Rows, warehouse) -> None:
    good_days(rows)
    write(rows, suite, DAY_1)
    outcome = run_suite(warehouse.sqlalchemy_url, suite, WINDOW)
    assert tripped(outcome) == {"group_key to_be_unique": 2}
    assert outcome.days == (DAY_1,)


@pytest.mark.parametrize("suite", DAILY)
def test_a_row_without_a_day_is_checked_in_every_window_and_makes_all_its_days_bad(
    suite: str, rows_without_constraints: Rows, warehouse
) -> None:
    rows_without_constraints.event("2026-10-02T08:00:00", event_date=None)
    rows_without_constraints.metrics(None)
    rows_without_constraints.by_channel(None)
    outcome = run_suite(warehouse.sqlalchemy_url, suite, WINDOW)
    assert tripped(outcome) == {f"{load_suite(suite).date_column} to_not_be_null": 1}
    assert outcome.days == (DAY_1, DAY_2, DAY_3)


def test_a_bad_row_is_checked_up_to_the_last_instant_of_the_window_and_not_at_its_end(rows: Rows, warehouse) -> None:
    good_days(rows)
    rows.event("2026-09-30T23:59:59.999999", source="fax")
    rows.event("2026-10-04T00:00:00", source="fax")
    assert run_suite(warehouse.sqlalchemy_url, "raw_events", WINDOW).passed
    rows.event("2026-10-03T23:59:59.999999", source="fax")
    assert run_suite(warehouse.sqlalchemy_url, "raw_events", WINDOW).days == (DAY_3,)
    rows.event("2026-10-01T00:00:00", source="fax")
    assert run_suite(warehouse.sqlalchemy_url, "raw_events", WINDOW).days == (DAY_1, DAY_3)


def test_metrics_of_the_days_around_the_window_are_not_checked(rows: Rows, warehouse) -> None:
    rows.metrics(date(2026, 9, 30), views=-1)
    rows.metrics(date(2026, 10, 4), views=-1)
    assert run_suite(warehouse.sqlalchemy_url, "daily_metrics", WINDOW).passed


def test_a_failure_counts_and_shows_the_bad_rows(rows: Rows, warehouse) -> None:
    for _ in range(7):
        rows.event("2026-10-02T08:00:00", source="fax")
    outcome = run_suite(warehouse.sqlalchemy_url, "raw_events", WINDOW)
    assert tripped(outcome) == {"source to_be_in_set": 7}
    assert len(outcome.sample) == 5
    assert outcome.sample[0] == {
        "expectation": "expect_column_values_to_be_in_set",
        "event_date": "2026-10-02",
        "event_key": "key-1",
        "source": "fax",
    }


def test_a_day_is_utc_whatever_time_zone_the_database_is_set_to(
    rows: Rows, connection: psycopg.Connection, warehouse
) -> None:
    good_days(rows)
    rows.execute(f"alter database {connection.info.dbname} set timezone = 'Asia/Tokyo'")
    assert run_suite(warehouse.sqlalchemy_url, "raw_events", WINDOW).passed
