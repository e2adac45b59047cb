"""Runs of expectation suites: errors of a suite, connections, passwords, memory."""

import dataclasses
import os
import time

import psycopg
import pytest
import sqlalchemy

from quality_checks.expectations import ExpectationError
from quality_checks.suite import Suite, load_suite
from tests.integration.quality_checks.handmade import Rows, run_suite
from tests.integration.quality_checks.test_expectations import (
    DAY_1,
    DAY_2,
    DAY_3,
    WINDOW,
    good_days,
)


def test_a_missing_column_is_an_error_of_the_suite_and_no_result_about_the_rows(rows: Rows, warehouse) -> None:
    good_days(rows)
    rows.execute("alter table build.daily_metrics drop column clicks")
    with pytest.raises(Exception, match="clicks"):
        run_suite(warehouse.sqlalchemy_url, "daily_metrics", WINDOW)


def test_an_exception_inside_an_expectation_is_raised_and_no_failed_check(rows: Rows, warehouse) -> None:
    good_days(rows)
    suite = suite_of("expect_column_values_to_be_between", column="absent", min_value=0)
    with pytest.raises(ExpectationError, match="absent"):
        run_suite(warehouse.sqlalchemy_url, suite, WINDOW)


def test_an_expectation_that_great_expectations_does_not_know_is_raised(rows: Rows, warehouse) -> None:
    with pytest.raises(Exception, match="expect_miracles"):
        run_suite(warehouse.sqlalchemy_url, suite_of("expect_miracles", column="views"), WINDOW)


def test_a_failure_that_no_day_shows_alone_makes_every_day_of_the_window_bad(rows: Rows, warehouse) -> None:
    good_days(rows)
    # Two rows a day: the window has too many, and no day of it alone.
    suite = suite_of("expect_table_row_count_to_be_between", max_value=5)
    outcome = run_suite(warehouse.sqlalchemy_url, suite, WINDOW)
    assert outcome.days == (DAY_1, DAY_2, DAY_3)
    assert outcome.observed["failed"][0]["observed_value"] == 6  # type: ignore


def test_no_connection_stays_open_after_a_run(rows: Rows, connection: psycopg.Connection, warehouse) -> None:
    others = (
        "select count(*) from pg_stat_activity where datname = current_database()"
        " and backend_type = 'client backend' and pid <> pg_backend_pid()"
    )
    rows.event("2026-10-02T08:00:00", source="fax")
    run_suite(warehouse.sqlalchemy_url, "raw_events", WINDOW)
    for _ in range(200):  # a closed connection's process takes a moment to end
        if connection.execute(others).fetchone() == (0,):
            return
        time.sleep(0.05)
    pytest.fail("a connection stayed open")


def test_the_rows_of_the_window_stay_in_the_database(rows: Rows, warehouse) -> None:
    for _ in range(50):
        rows.event("2026-10-02T08:00:00", source="fax")
    fetched: list[int] = []

    def note(_connection, cursor, *_):
        fetched.append(cursor.rowcount)

    sqlalchemy.event.listen(sqlalchemy.Engine, "after_cursor_execute", note)
    try:
        assert not run_suite(warehouse.sqlalchemy_url, "raw_events", WINDOW).passed
    finally:
        sqlalchemy.event.remove(sqlalchemy.Engine, "after_cursor_execute", note)
    assert fetched
    assert max(fetched) <= 20


def test_a_password_with_signs_that_mean_something_elsewhere_is_taken_as_it_is(rows: Rows, warehouse) -> None:
    url = sqlalchemy.make_url(warehouse.sqlalchemy_url)
    with psycopg.connect(warehouse.superuser_url("postgres"), autocommit=True) as superuser:
        superuser.execute("create role odd_password login superuser password 'p$HOME:@/%24'")
        try:
            # Escaped as little as a URL allows: the dollar stands as it is.
            odd = url.set(username="odd_password", password="PASSWORD").render_as_string(hide_password=False)
            odd = odd.replace("PASSWORD", "p$HOME%3A%40%2F%2524")
            assert run_suite(odd, "raw_events", WINDOW).passed
        finally:
            superuser.execute("drop role odd_password")


def test_a_database_that_cannot_be_reached_is_raised_without_its_password() -> None:
    with pytest.raises(Exception, match="refused") as caught:
        run_suite("postgresql+psycopg2://someone:geheim@127.0.0.1:1/nowhere", "raw_events", WINDOW)
    assert "geheim" not in str(caught.value)


def test_great_expectations_reports_to_nobody(rows: Rows, warehouse) -> None:
    run_suite(warehouse.sqlalchemy_url, "raw_events", WINDOW)
    assert os.environ["GX_ANALYTICS_ENABLED"] == "false"


def fields(suite: Suite) -> dict[str, object]:
    return {field.name: getattr(suite, field.name) for field in dataclasses.fields(suite)}


def suite_of(expectation: str, **arguments: object) -> Suite:
    declared = load_suite("daily_metrics")
    return Suite(**{**fields(declared), "expectations": ({"type": expectation, "kwargs": arguments},)})
