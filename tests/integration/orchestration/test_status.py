"""The page about the state of the warehouse, as the sensor records it and as the command line prints it."""

from collections.abc import Callable
from datetime import UTC, datetime, time

import dagster as dg
import pytest

from alerting.status_page import status_page
from orchestration.defs.resources import WarehouseResource
from publishing import days_not_current
from quality_checks.outcome import CheckOutcome, Severity
from quality_checks.results import record
from tests.integration.orchestration.one_view import DAY, SECOND, view
from tests.support.code_location import definitions
from tests.support.command_line import run_command
from tests.support.dagster_runs import DagsterRuns
from tests.support.pipeline import START
from warehouse.window import Window

NOON = datetime(2026, 10, 3, 12, tzinfo=UTC)
DEADLINE = time(6)


@pytest.fixture
def page(published: DagsterRuns) -> Callable[..., str]:
    """The first day is published; the second, yesterday, is not."""

    def page(now: datetime = NOON) -> str:
        connection = published.pipeline.connection
        found = days_not_current.states(connection, due_before=days_not_current.due_before(now, DEADLINE))
        return "\n".join(status_page(connection, found, now=now, deadline=DEADLINE).values())

    return page


def test_yesterday_is_published_not_yet_due_or_missing(page: Callable[..., str]) -> None:
    assert "Yes: 2026-10-01 was published at " in page(datetime(2026, 10, 2, 3, tzinfo=UTC))
    assert "Not yet: the deadline of 2026-10-02 is 06:00 UTC." in page(datetime(2026, 10, 3, 5, 59, tzinfo=UTC))
    late = page()
    assert "No: 2026-10-02 is late (nothing_loaded). Its deadline was 06:00 UTC." in late
    assert "| 2026-10-02 | late | nothing_loaded | 2026-10-03 02:00 UTC | all | nothing |" in late
    assert "Published days: 1, 2026-10-01 to 2026-10-01." in late


def test_a_stale_day_has_its_reasons_and_a_refused_one_its_checks(
    published: DagsterRuns, page: Callable[..., str]
) -> None:
    published.pipeline.load(DAY)
    assert "| 2026-10-01 | stale | events_changed |" in page()
    refused = CheckOutcome({}, (SECOND,), name="load_counts_add_up", severity=Severity.ERROR)
    warned = CheckOutcome({}, (START,), name="rejection_rate_below_threshold", severity=Severity.WARNING)
    for outcome, day in ((refused, SECOND), (warned, START)):
        record(published.pipeline.connection, [outcome], build_id="a run", window=Window.day(day))
    found = page()
    assert "No: 2026-10-02 is refused (load_counts_add_up, nothing_loaded)." in found
    assert "- `rejection_rate_below_threshold`: 2026-10-01" in found


def test_rejected_lines_are_counted_by_landing_day_with_their_reasons(
    published: DagsterRuns, page: Callable[..., str]
) -> None:
    published.pipeline.land(START, ["no json", "nor this", view(START, "first"), view(START, "x", eventType="?")])
    published.pipeline.load(DAY)
    assert "| 2026-10-01 | 4 | 1 | 3 (75.0%) | 0 | 0 | line: not JSON (2); eventType: " in page()


def test_the_command_line_prints_the_page(published: DagsterRuns, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command("status", environment=published.environment) == 0
    printed = capsys.readouterr()
    assert "which answers" in printed.err
    assert "### Is yesterday published?" in printed.out
    assert "| day | state | why | since | marts | readers see |" in printed.out


def test_the_sensor_records_the_page_and_the_checks_of_marts_when_they_change(published: DagsterRuns) -> None:
    sensor = definitions().get_sensor_def("status_sensor")

    def tick(cursor: str | None) -> tuple[list[dg.AssetObservation], list[dg.AssetCheckEvaluation], str | None]:
        context = dg.build_sensor_context(
            cursor=cursor, resources={"warehouse": WarehouseResource(url=published.pipeline.warehouse.url)}
        )
        found = sensor.evaluate_tick(context)
        events = found.asset_events
        observations = [event for event in events if isinstance(event, dg.AssetObservation)]
        return observations, [event for event in events if isinstance(event, dg.AssetCheckEvaluation)], found.cursor

    [observation], checks, cursor = tick(None)
    assert observation.asset_key == dg.AssetKey(["ops", "status"])
    # Before the deadline of today it is not yet due.
    assert str(observation.metadata["Is yesterday published?"].value).startswith(("No: ", "Not yet: "))
    assert {check.check_name for check in checks} == {"days_are_current"}
    assert dg.AssetKey(["marts", "daily_metrics"]) in {check.asset_key for check in checks}
    assert not any(check.passed for check in checks), "days up to yesterday are missing"
    assert tick(cursor)[:2] == ([], []), "nothing has changed"

    published.pipeline.load(DAY)
    [observation], checks, _ = tick(cursor)
    assert observation.metadata["days_stale"].value == 1
    assert {check.metadata["days_stale"].value for check in checks} == {1}
