"""Backfills: a range in chunks that are published one by one, days that are held back, and jobs that go on."""

from datetime import date
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest

from tests.integration.orchestration.one_view import FOURTH, SECOND, THIRD, view, views
from tests.support.dagster_runs import DagsterRuns, Run, backfill_here
from tests.support.pipeline import START
from warehouse.window import ONE_DAY, Window

LAST = FOURTH
DAYS = Window(START, LAST + ONE_DAY)


@pytest.fixture(autouse=True)
def two_days_a_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestration.defs.jobs.backfill.settings", lambda: SimpleNamespace(warehouse_chunk_days=2))


def backfill(start: str = START.isoformat(), end: str = DAYS.end.isoformat()) -> tuple[Run, list[tuple[str, str]]]:
    return backfill_here(start, end)


def metadata(result: Run) -> dict[str, Any]:
    [output] = [event for event in result.events if event.event_type == dg.DagsterEventType.STEP_OUTPUT]
    return {name: value.value for name, value in output.step_output_data.metadata.items()}


def publications(runs: DagsterRuns) -> list[list[date]]:
    """Return the days of each publication, in order."""
    rows = runs.pipeline.rows(
        "select array_agg(event_date order by event_date) from ops.published_days"
        " group by run_id order by min(published_at)"
    )
    return [days for (days,) in rows]


@pytest.mark.slow
def test_chunks_are_published_one_by_one_and_a_second_job_has_nothing_to_do(runs: DagsterRuns) -> None:
    for day in DAYS.days():
        runs.pipeline.land(day, [view(day, f"{day}")])
    result, ran = backfill()
    assert result.is_success
    assert ran[:2] == [("2026-10-01", "2026-10-02"), ("2026-10-03", "2026-10-04")]
    assert len(publications(runs)) >= 2
    assert views(runs) == dict.fromkeys(DAYS.days(), 1)
    assert metadata(result)["chunks"] == len(ran)
    assert metadata(result)["days_held_back"] == []
    assert runs.pipeline.catch_up() == []

    again, ran = backfill()
    assert again.is_success
    assert ran == []


@pytest.mark.slow
def test_events_that_arrive_days_late_are_in_the_first_publication_of_their_day(runs: DagsterRuns) -> None:
    for day in DAYS.days():
        runs.pipeline.land(day, [view(day, f"{day}")])
    runs.pipeline.land(FOURTH, [view(FOURTH, "fourth"), view(START, "three days late"), view(SECOND, "two days late")])
    result, ran = backfill()
    assert result.is_success
    assert ran == [("2026-10-01", "2026-10-02"), ("2026-10-03", "2026-10-04")]
    assert views(runs) == {START: 2, SECOND: 2, THIRD: 1, FOURTH: 1}
    assert publications(runs) == [[START, SECOND], [THIRD, FOURTH]]
    assert runs.pipeline.catch_up() == []


@pytest.mark.slow
def test_a_day_whose_file_cannot_be_loaded_is_held_back_alone(runs: DagsterRuns) -> None:
    for day in DAYS.days():
        runs.pipeline.land(day, [view(day, f"{day}")])
    runs.pipeline.land(THIRD, []).with_name("broken.ndjson.gz").write_bytes(b"not gzip")
    result, ran = backfill()
    assert not result.is_success
    assert "1 days of" in result.error
    assert "2026-10-03" in result.error
    assert ran == [("2026-10-01", "2026-10-02"), ("2026-10-03", "2026-10-04"), ("2026-10-04", "2026-10-04")]
    assert publications(runs) == [[START, SECOND], [FOURTH]]


@pytest.mark.slow
def test_a_refused_day_is_held_back_alone_and_the_job_goes_on_with_it_later(runs: DagsterRuns) -> None:
    pipeline = runs.pipeline
    pipeline.declares_silence = False
    for day in (START, THIRD, FOURTH):
        pipeline.land(day, [view(day, f"{day}")])
    result, ran = backfill()
    assert not result.is_success
    assert "1 days of" in result.error
    assert "2026-10-02" in result.error
    assert ran[:2] == [("2026-10-01", "2026-10-02"), ("2026-10-01", "2026-10-01")]
    assert views(runs) == {START: 1, THIRD: 1, FOURTH: 1}

    pipeline.land(SECOND, [view(SECOND, "late")])
    result, ran = backfill()
    assert result.is_success
    assert ran[0] == ("2026-10-02", "2026-10-02")
    assert views(runs) == dict.fromkeys(DAYS.days(), 1)
    assert pipeline.catch_up() == []


def test_days_that_are_no_range_are_refused(runs: DagsterRuns) -> None:
    result, ran = backfill("2026-10-02", "2026-10-02")
    assert not result.is_success
    assert "for the single day 2026-10-02, end is 2026-10-03" in result.error
    assert ran == []
