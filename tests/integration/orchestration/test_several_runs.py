"""Runs beside and after each other: waiting for the writer, killed runs, and the sensor of stale days."""

import os
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from orchestration.run_windows import run_tags
from publishing import dbt_manifest
from tests.integration.orchestration.one_view import DAY, FOURTH, SECOND, THIRD, THREE_DAYS, TWO_DAYS, view, views
from tests.support.code_location import definitions
from tests.support.dagster_runs import DagsterRuns
from tests.support.pipeline import START, Pipeline
from warehouse.window import ONE_DAY, Window

PATIENCE_SECONDS = 90


def wait_until(is_so: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline, f"waited {PATIENCE_SECONDS} s until {what}"
        time.sleep(0.05)


@pytest.mark.slow
def test_of_two_runs_at_once_the_second_waits_and_both_end_right(runs: DagsterRuns, tmp_path: Path) -> None:
    for day in THREE_DAYS.days():
        runs.pipeline.land(day, [view(day, f"{day}")])
    log = tmp_path / "first.log"
    first = runs.start(TWO_DAYS, log)
    try:
        wait_until(lambda: _is_held(runs), "the first run holds the warehouse")
        second = runs.run(Window(SECOND, FOURTH))
        first.wait(timeout=PATIENCE_SECONDS)
    finally:
        first.kill()

    assert first.returncode == 0, log.read_text()
    assert second.is_success, second.error
    assert "waiting for the warehouse" in second.log
    assert views(runs) == {START: 1, SECOND: 1, THIRD: 1}
    assert runs.pipeline.catch_up() == []


def _is_held(runs: DagsterRuns) -> bool:
    query = "select 1 from pg_locks where locktype = 'advisory' and granted and objid = 7200"
    return bool(runs.pipeline.rows(query))


@pytest.mark.slow
def test_a_killed_run_neither_holds_up_nor_spoils_the_next_one(published: DagsterRuns, tmp_path: Path) -> None:
    pipeline = published.pipeline
    # dbt computes the new numbers and waits to write them; its run is killed, and dbt ends with it.
    with pipeline.warehouse.connect() as blocker:
        blocker.execute("lock table build.daily_metrics in share mode")
        killed = published.start(DAY, tmp_path / "killed.log")
        try:
            wait_until(lambda: _dbt_waits(pipeline), "dbt waits for the table")
        finally:
            killed.send_signal(signal.SIGKILL)
            killed.wait()
        wait_until(lambda: not _dbt_waits(pipeline), "dbt ends with its run")
        pipeline.land(START, [view(START, key) for key in ("first", "second", "third")])
    run = published.run(DAY)

    assert run.is_success, run.error
    assert views(published) == {START: 3}
    wait_until(lambda: not pipeline.rows("select 1 from pg_stat_activity where application_name = 'dbt'"), "dbt ends")
    assert pipeline.rows("select sum(views)::int from build.daily_metrics") == [(3,)]
    assert pipeline.rows("select is_complete, build_id from ops.built_days") == [(True, run.run_id)]


def _dbt_waits(pipeline: Pipeline) -> bool:
    query = "select 1 from pg_stat_activity where application_name = 'dbt' and wait_event_type = 'Lock'"
    return bool(pipeline.rows(query))


@pytest.mark.slow
def test_the_sensor_asks_for_the_stale_days_and_no_others_until_none_is_stale(
    runs: DagsterRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = runs.pipeline
    # All in one ISO week: the days of a later one would be stale as well, because what it was fitted on has changed.
    last = FOURTH
    days = Window(START, last + ONE_DAY)
    for day in days.days():
        pipeline.land(day, [view(day, f"{day}")])
    pipeline.read_application(START)
    pipeline.run(days)
    assert [type(request) for request in _requests()] == [dg.SkipReason]

    late = [view(START, "late"), view(SECOND, "late"), view(FOURTH, "late")]
    pipeline.land(last, late, name="late.ndjson")
    pipeline.load(Window.day(last))
    requests = _requests()
    assert [_days(request) for request in requests] == [("2026-10-01", "2026-10-02"), ("2026-10-04", "2026-10-04")]
    assert [request.run_key for request in _requests()] == [request.run_key for request in requests]
    assert len({request.run_key for request in requests}) == 2

    for window in (Window(START, THIRD), Window.day(FOURTH)):
        assert runs.run(window).is_success
    assert [type(request) for request in _requests()] == [dg.SkipReason]
    assert views(runs) == {START: 2, SECOND: 2, THIRD: 1, FOURTH: 2}

    now = dbt_manifest.project_version()
    another = replace(now, versions={**now.versions, "daily_metrics": "another version"})
    monkeypatch.setattr(dbt_manifest, "project_version", lambda: another)
    [all_days] = _requests()
    assert all_days.tags["stale_because"] == "models_changed"
    assert _days(all_days) == ("2026-10-01", last.isoformat())


def _requests() -> list[Any]:
    """Return the runs that the sensor asks for now."""
    from orchestration.defs.resources import WarehouseResource

    sensor = definitions().get_repository_def().get_sensor_def("stale_days_sensor")
    with dg.DagsterInstance.ephemeral() as instance:
        resources = {"warehouse": WarehouseResource(url=os.environ["WAREHOUSE_URL"])}
        context = dg.build_sensor_context(instance=instance, resources=resources)
        evaluation = sensor.evaluate_tick(context)
    return list(evaluation.run_requests or []) or [dg.SkipReason(evaluation.skip_message)]


def _days(request: dg.RunRequest) -> tuple[str, str]:
    tags = run_tags(DAY)
    first, last = (request.tags[name] for name in tags)
    return first, last
