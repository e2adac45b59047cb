"""Three days made by hand: the numbers that a person has worked out (README.md beside this file) are the numbers that
come out, whichever way the days came in.
"""

import csv
import shutil
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from quality_checks.raw_events import event_keys_unique_across_days, event_types_are_registered
from tests.support.pipeline import Pipeline
from warehouse.window import Window

GOLDEN = Path(__file__).parent
FIRST, SECOND, THIRD = (date(2026, 10, day) for day in (1, 2, 3))
ALL_DAYS = Window(FIRST, date(2026, 10, 4))
MARTS = ("daily_metrics", "daily_metrics_by_channel")
MEASURES = ("views", "clicks", "conversions", "revenue_cents", "unique_visitors", "engagement_time")

# A session is known by the key of its first event; one that was sent without a key by the line.
SESSIONS = """
    select
        session_date,
        case when event_key ~ '^[0-9a-f]{64}$' then 'line ' || line_number else event_key end as first_event,
        visitor_id,
        identity_id,
        to_char(session_started_at at time zone 'UTC', 'FMDD HH24:MI:SS.US') as started,
        to_char(session_ended_at at time zone 'UTC', 'FMDD HH24:MI:SS.US') as ended,
        duration_seconds, sessions.events, views, clicks, conversions, sessions.revenue_cents, sessions.engagement_time,
        channel, sessions.source, medium, campaign, is_engaged
    from intermediate.int_sessions as sessions
    left join raw.events as first on first.event_id = sessions.session_id and first.event_date = session_date
"""

# The same sessions as they are published; the columns that a mart has no need of stand in the intermediate table alone.
PUBLISHED_SESSIONS = (
    SESSIONS.replace("session_date", "metric_date")
    .replace("identity_id,", "")
    .replace("intermediate.int_sessions", "marts.sessions")
)
SESSIONS_BY_CHANNEL = """
    select metric_date, channel, device_type, sessions, engaged_sessions, converting_sessions, unique_visitors, events,
        views, clicks, conversions, revenue_cents, engagement_time, duration_seconds
    from marts.sessions_daily
"""


def expected(name: str) -> list[dict[str, str]]:
    with (GOLDEN / "expected" / f"{name}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def actual(pipeline: Pipeline, query: str) -> list[dict[str, str]]:
    """The rows of a query in the words of the CSV files: everything as text, null as nothing."""
    cursor = pipeline.connection.execute(query)  # type: ignore[call-overload]
    names = [column.name for column in cursor.description or ()]
    rows = [["" if value is None else str(value) for value in row] for row in cursor]
    return [dict(zip(names, row, strict=True)) for row in rows]


def in_one_order(rows: list[dict[str, str]]) -> list[tuple[tuple[str, str], ...]]:
    """Rows as they can be compared in both directions: nothing missing, nothing extra, nothing twice."""
    return sorted(tuple(sorted(row.items())) for row in rows)


def land(pipeline: Pipeline) -> None:
    shutil.copytree(GOLDEN / "landing", pipeline.landing)


def read_application(pipeline: Pipeline) -> None:
    assert pipeline.warehouse.application_url is not None
    with psycopg.connect(pipeline.warehouse.application_url) as application:
        application.execute((GOLDEN / "application.sql").read_text())  # type: ignore[call-overload]
    pipeline.read_application(FIRST)


def as_one_range(pipeline: Pipeline) -> None:
    read_application(pipeline)
    pipeline.run(ALL_DAYS)


def day_by_day(pipeline: Pipeline) -> None:
    """Each run also loads the next landing day; that of the second day brings the late event of the first."""
    read_application(pipeline)
    for day in ALL_DAYS.days():
        pipeline.run(Window.day(day))
    first, later = pipeline.catch_up()
    assert first == Window.day(FIRST)
    assert later.start == SECOND, "the late event tells whose device an event of the second day came from"


def as_files_arrive(pipeline: Pipeline) -> None:
    """No landing day is there before its own run; the second tells how a session of the first went on."""
    read_application(pipeline)
    arrived = pipeline.landing.with_name("arrived")
    pipeline.landing.rename(arrived)
    for day in ALL_DAYS.days():
        shutil.copytree(arrived / "events" / f"dt={day}", pipeline.landing / "events" / f"dt={day}")
        pipeline.run(Window.day(day))
    assert pipeline.catch_up()[0].start == FIRST


def backwards(pipeline: Pipeline) -> None:
    """The last day first, and the licenses last of all."""
    for day in reversed(list(ALL_DAYS.days())):
        pipeline.run(Window.day(day))
    read_application(pipeline)
    assert pipeline.catch_up() != []


def loaded_at_once_and_built_backwards(pipeline: Pipeline) -> None:
    """A build sees of earlier days what is built of them: their links and sessions make the later days stale."""
    read_application(pipeline)
    pipeline.load(ALL_DAYS)
    for day in reversed(list(ALL_DAYS.days())):
        pipeline.run(Window.day(day), load=False)
    assert pipeline.catch_up() == [Window(SECOND, ALL_DAYS.end)]


# The one that starts where there is nothing, not even a table.
FIRST_ROUTE = as_one_range
OTHER_ROUTES = [
    pytest.param(route, marks=pytest.mark.models)
    for route in (day_by_day, as_files_arrive, backwards, loaded_at_once_and_built_backwards)
]


@pytest.mark.parametrize("route", [FIRST_ROUTE, *OTHER_ROUTES], ids=lambda route: route.__name__)
def test_the_golden_days_come_out_as_worked_out_by_hand(pipeline: Pipeline, route: Callable[[Pipeline], None]) -> None:
    land(pipeline)

    route(pipeline)

    for mart in MARTS:
        for schema in ("marts", "build"):
            assert in_one_order(actual(pipeline, f"select * from {schema}.{mart}")) == in_one_order(expected(mart)), (
                f"{schema}.{mart}"
            )
    assert in_one_order(actual(pipeline, SESSIONS)) == in_one_order(expected("sessions"))
    published = [
        {"metric_date" if name == "session_date" else name: text for name, text in row.items() if name != "identity_id"}
        for row in expected("sessions")
    ]
    assert in_one_order(actual(pipeline, PUBLISHED_SESSIONS)) == in_one_order(published)
    assert in_one_order(actual(pipeline, SESSIONS_BY_CHANNEL)) == in_one_order(expected("sessions_daily"))
    assert actual(
        pipeline,
        "select landing_date, lines_read, accepted, rejected, duplicates, not_tracked, late from ops.loads"
        " where replaced_by is null order by landing_date",
    ) == expected("loads")
    assert actual(
        pipeline,
        """
        select event_date, count(*) as events,
            count(*) filter (where is_bot) as bots,
            count(*) filter (where not is_bot and coalesce(project_id, ip_asset_id, license_id) is null) as outside,
            count(*) filter (where not is_bot and coalesce(project_id, ip_asset_id, license_id) is not null) as counted
        from intermediate.int_events_attributed group by event_date order by event_date
        """,
    ) == expected("event_days")


def test_every_unusable_line_of_the_golden_days_can_be_found_with_its_reason(pipeline: Pipeline) -> None:
    land(pipeline)

    pipeline.load(ALL_DAYS)

    rejected = pipeline.rows(
        "select landing_date, line_number, line, reasons from raw.rejected_events join ops.loads using (load_id)"
        " order by landing_date, line_number"
    )
    assert [(day, number) for day, number, _, _ in rejected] == [(FIRST, 11), (FIRST, 12), (SECOND, 14), (THIRD, 11)]
    for (_, _, line, reasons), (key, field) in zip(
        rejected,
        [("1-10", "occurredAt"), ("1-11", "occurredAt"), ("2-12", ""), ("3-11", "entity")],
        strict=True,
    ):
        assert key in line
        assert len(reasons) == 1
        assert field in reasons[0]
    duplicates = pipeline.rows(
        "select landing_date, line_number from raw.duplicate_events join ops.loads using (load_id)"
        " order by landing_date, line_number"
    )
    assert duplicates == [(FIRST, 7), (FIRST, 23), (SECOND, 5), (THIRD, 14)]


@pytest.mark.models
def test_the_golden_days_raise_the_two_warnings_they_contain(pipeline: Pipeline) -> None:
    land(pipeline)
    as_one_range(pipeline)

    unknown = event_types_are_registered(pipeline.connection, ALL_DAYS)
    repeated = event_keys_unique_across_days(pipeline.connection, ALL_DAYS)

    assert (unknown.passed, unknown.observed, unknown.days) == (
        False,
        {"unregistered_types": 1, "events": 1},
        (FIRST,),
    )
    assert (repeated.passed, repeated.observed, repeated.days) == (False, {"repeated_keys": 1}, (FIRST, SECOND))


@pytest.mark.parametrize("measure", [name for name in MEASURES if name != "unique_visitors"])
def test_the_two_expected_tables_agree_with_each_other(measure: str) -> None:
    """Keeps slips of the pen out of the files: the channels of a group add up to the group."""

    def totals(name: str) -> dict[tuple[Any, ...], Decimal]:
        sums: dict[tuple[Any, ...], Decimal] = {}
        for row in expected(name):
            group = tuple(row[key] for key in ("metric_date", "project_id", "ip_asset_id", "license_id"))
            sums[group] = sums.get(group, Decimal(0)) + Decimal(row[measure])
        return sums

    assert totals("daily_metrics") == totals("daily_metrics_by_channel")
