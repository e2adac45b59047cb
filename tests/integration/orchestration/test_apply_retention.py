"""The job that seals days and drops their raw rows: what goes, what stays, and what a kill between two steps leaves."""

from datetime import date
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest

from ingestion.loading.landing_day import load_landing_day
from orchestration.defs.jobs.apply_retention import apply_retention
from orchestration.defs.resources import SourcesResource, WarehouseResource
from publishing import retention_steps
from quality_checks.loads import load_counts_add_up
from tests.support.keys import HASH_KEY
from tests.support.pipeline import START, Pipeline
from warehouse import retention
from warehouse.window import ONE_DAY, Window

BOUNDARY = date(2026, 10, 10)
# Keys are looked up three days around a day: raw rows of the last sealed days stay so long.
DROPPED_BEFORE = BOUNDARY - 3 * ONE_DAY
DAYS = Window(START, BOUNDARY + 2 * ONE_DAY)
SIZES = ("raw.events", "raw.rejected_events", "raw.duplicate_events")


class Job:
    """The job as Dagster runs it, with settings of its own and a boundary that no clock decides."""

    def __init__(self, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
        self.pipeline = pipeline
        self.monkeypatch = monkeypatch

    def run(
        self, *, days: int | None = 30, landing: bool = False, boundary: date = BOUNDARY
    ) -> dg.ExecuteInProcessResult:
        settings = SimpleNamespace(warehouse_retention_days=days, warehouse_retention_landing=landing)
        self.monkeypatch.setattr("orchestration.defs.jobs.apply_retention.settings", lambda: settings)
        self.monkeypatch.setattr(retention, "boundary", lambda _today, _days: boundary)
        return apply_retention.execute_in_process(
            resources={
                "warehouse": WarehouseResource(url=self.pipeline.warehouse.url),
                "sources": SourcesResource(
                    landing_url=str(self.pipeline.landing), application_url="", hash_key=HASH_KEY, start_date=str(START)
                ),
            },
            raise_on_error=False,
        )

    def metadata(self, **options: Any) -> dict[str, Any]:
        result = self.run(**options)
        assert result.success
        [output] = [event for event in result.all_events if event.event_type == dg.DagsterEventType.STEP_OUTPUT]
        return {name: value.value for name, value in output.step_output_data.metadata.items()}


@pytest.fixture
def job(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> Job:
    """Loaded days around the boundary: each has an event, a copy of it, a broken line, and a late event."""
    for day in DAYS.days():
        event = {
            "eventType": "page_viewed",
            "occurredAt": f"{day}T10:00:00Z",
            "idempotencyKey": "a",
            "anonymousId": "x",
        }
        before = max(day - 2 * ONE_DAY, START)
        late = event | {"occurredAt": f"{before}T11:00:00Z", "idempotencyKey": f"late {day}"}
        pipeline.land(day, [event, event, "no JSON", late])
        load_landing_day(pipeline.connection, root=pipeline.landing, landing_date=day, start_date=START)
    return Job(pipeline, monkeypatch)


def oldest(pipeline: Pipeline) -> dict[str, date | None]:
    """The oldest day of the rows of each table; a rejected line has its landing day."""
    [days] = pipeline.rows(
        """
        select (select min(event_date) from raw.events), (select min(event_date) from raw.duplicate_events),
            (select min(landing_date) from raw.rejected_events inner join ops.loads using (load_id))
        """
    )
    return dict(zip(("events", "duplicates", "rejected"), days, strict=True))


def files(pipeline: Pipeline) -> list[str]:
    return sorted(path.parent.name for path in pipeline.landing.rglob("*.ndjson"))


def counts_add_up(pipeline: Pipeline) -> bool:
    return load_counts_add_up(pipeline.connection, DAYS).passed


def test_without_the_setting_nothing_changes(job: Job) -> None:
    before = job.pipeline.contents(("raw", "ops"))
    assert job.metadata(days=None) == {}
    assert job.pipeline.contents(("raw", "ops")) == before


def test_raw_rows_go_with_their_partitions_and_the_ledger_keeps_its_counts(job: Job) -> None:
    ledger = "select file, lines_read, accepted, rejected, duplicates from ops.loads order by file"
    before = job.pipeline.rows(ledger)
    metadata = job.metadata()
    assert metadata["sealed_before"] == str(BOUNDARY)
    # Six days with two events each, but that the late ones of the last two landed later.
    assert metadata["rows_dropped"] == {"raw.events": 14, "raw.duplicate_events": 6, "raw.rejected_events": 6}
    assert metadata["bytes_freed"]["raw.events"] > 0
    assert oldest(job.pipeline) == dict.fromkeys(("events", "duplicates", "rejected"), DROPPED_BEFORE)
    assert job.pipeline.rows("select to_regclass('raw.events_20261006'), to_regclass('raw.attribution_20261006')") == [
        (None, None)
    ]
    assert job.pipeline.rows(ledger) == before
    assert counts_add_up(job.pipeline)
    assert len(files(job.pipeline)) == len(DAYS)
    assert job.metadata()["rows_dropped"] == {}


def test_a_row_that_goes_by_another_way_is_still_missed(job: Job) -> None:
    job.run()
    job.pipeline.connection.execute("delete from raw.events where event_date = %s", [DROPPED_BEFORE])
    assert not counts_add_up(job.pipeline)


def test_a_job_that_was_killed_between_two_steps_goes_on_where_it_ended(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop_day = retention_steps._drop_day
    for steps in (3, 9, 16):
        calls = iter(range(steps))

        def drop(*arguments: Any, calls: Any = calls) -> int:
            if next(calls, None) is None:
                raise RuntimeError("killed")
            return drop_day(*arguments)

        with monkeypatch.context() as patched:
            patched.setattr(retention_steps, "_drop_day", drop)
            assert not job.run().success
        assert counts_add_up(job.pipeline)
    job.run()
    assert oldest(job.pipeline) == dict.fromkeys(("events", "duplicates", "rejected"), DROPPED_BEFORE)
    assert counts_add_up(job.pipeline)


def test_a_table_that_is_being_read_is_left_for_the_next_night(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention_steps, "LOCK_SECONDS", 1)
    with job.pipeline.warehouse.connect() as reader:
        reader.execute("select count(*) from raw.events")
        metadata = job.metadata()
    assert metadata["tables_left"] == ["raw.events"]
    assert metadata["rows_dropped"] == {"raw.duplicate_events": 6, "raw.rejected_events": 6}
    assert counts_add_up(job.pipeline)
    assert job.metadata()["rows_dropped"] == {"raw.events": 14}


@pytest.mark.parametrize("days", [60, None])
def test_sealed_days_stay_sealed_when_the_setting_is_raised_or_removed(job: Job, days: int | None) -> None:
    retention.seal(job.pipeline.connection, BOUNDARY)
    assert job.metadata(days=days, boundary=START)["sealed_before"] == str(BOUNDARY)
    assert oldest(job.pipeline)["events"] == DROPPED_BEFORE


def test_landing_files_go_once_all_of_their_days_are_sealed_and_nothing_misses_them(job: Job) -> None:
    pipeline = job.pipeline
    ahead, edited = START + 3 * ONE_DAY, START + 4 * ONE_DAY
    # Of a clock that is ahead: a file of a sealed landing day may have an event of a day that is not.
    pipeline.connection.execute(
        "update ops.loads set event_dates = event_dates || %s::date where landing_date = %s", [BOUNDARY, ahead]
    )
    pipeline.land(edited, ["no JSON either"])
    metadata = job.metadata(landing=True)
    kept = [ahead, edited, *Window(DROPPED_BEFORE, DAYS.end).days()]
    assert files(pipeline) == [f"dt={day}" for day in kept]
    assert (metadata["landing_files_deleted"], metadata["landing_files_kept"]) == (len(DAYS) - len(kept), 1)
    assert counts_add_up(pipeline)
    assert pipeline.rows("select * from ops.stale_days where event_date < %s", BOUNDARY) == []
    pipeline.load(DAYS)
    assert counts_add_up(pipeline)


def test_days_that_were_stale_when_they_were_sealed_are_named(job: Job) -> None:
    never_published = [str(day) for day in Window(START, BOUNDARY).days()]
    assert job.metadata()["days_sealed_while_stale"] == never_published
    assert job.pipeline.rows("select min(event_date) from ops.stale_days") == [(BOUNDARY,)]
    assert job.metadata()["days_sealed_while_stale"] == []
