"""The sensor that notices landing files, on a real ledger, and the job that it asks for."""

import os
import shutil
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from ingestion.landing.files import LandingError
from orchestration.landing_sensor import SensorState
from orchestration.run_windows import run_tags
from tests.integration.ingestion.loading.raw_tables import event
from tests.support.code_location import definitions, settings_of
from tests.support.keys import HASH_KEY
from tests.support.pipeline import START, Pipeline
from warehouse import retention
from warehouse.window import ONE_DAY, Window

TODAY = datetime.now(UTC).date()
OLD = TODAY - 3 * ONE_DAY

pytestmark = pytest.mark.skipif(OLD < START, reason="before the first day of the tests")


def an_event(key: str, day: date) -> dict[str, object]:
    return event(key, at=f"{day}T00:00:01Z")


class Sensor:
    """The sensor as the daemon evaluates it: again and again, each time with the cursor of the last."""

    def __init__(self, pipeline: Pipeline, instance: dg.DagsterInstance) -> None:
        # Not before the settings of the tests are there to be read.
        from orchestration.defs.resources import SourcesResource, WarehouseResource

        self.definition = definitions().get_repository_def().get_sensor_def("landing_files_sensor")
        self.instance = instance
        self.resources = {
            "warehouse": WarehouseResource(url=pipeline.warehouse.url),
            "sources": SourcesResource(
                landing_url=str(pipeline.landing), application_url="", hash_key=HASH_KEY, start_date=str(START)
            ),
        }
        self.cursor: str | None = None
        self.message: str | None = None

    def look(self) -> list[dg.RunRequest]:
        """The runs that the next evaluation asks for."""
        context = dg.build_sensor_context(self.instance, cursor=self.cursor, resources=self.resources)
        with context:
            data = self.definition.evaluate_tick(context)
        self.cursor, self.message = data.cursor, data.skip_message
        return list(data.run_requests or [])


@pytest.fixture
def sensor(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sensor]:
    for name, value in settings_of(pipeline.warehouse, pipeline.landing).items():
        monkeypatch.setenv(name, value)
    with dg.DagsterInstance.ephemeral() as instance:
        yield Sensor(pipeline, instance)


def test_a_file_of_a_day_that_is_over_runs_the_day_once(pipeline: Pipeline, sensor: Sensor) -> None:
    assert sensor.look() == []
    pipeline.land(OLD, [an_event("a", OLD)])
    assert sensor.look() == []
    (request,) = sensor.look()
    assert request.job_name == "daily_refresh"
    assert run_tags(Window.day(OLD)).items() <= request.tags.items()
    assert sensor.look() == []


def test_what_somebody_else_has_loaded_runs_nothing_until_it_changes(pipeline: Pipeline, sensor: Sensor) -> None:
    path = pipeline.land(OLD, [an_event("a", OLD)])
    pipeline.load(Window.day(OLD))
    assert sensor.look() == sensor.look() == []
    # Of the same size, and moved here with the time it was written at.
    draft = path.with_name("draft.tmp")
    draft.write_bytes(path.read_bytes().replace(b'"a"', b'"b"'))
    an_hour_ago = (datetime.now(UTC) - timedelta(hours=1)).timestamp()
    os.utime(draft, (an_hour_ago, an_hour_ago))
    draft.rename(path)
    assert sensor.look() == []
    assert len(sensor.look()) == 1


def test_todays_files_are_loaded_by_a_job_that_does_nothing_else(pipeline: Pipeline, sensor: Sensor) -> None:
    pipeline.land(TODAY, [an_event("a", TODAY)])
    sensor.look()
    (request,) = sensor.look()
    assert request.job_name == "load_landing"
    job = definitions().resolve_job_def("load_landing")
    result = job.execute_in_process(instance=sensor.instance, tags=request.tags)
    assert result.success
    assert {event.step_key for event in result.all_events if event.is_step_success} == {"raw_events"}
    assert pipeline.rows("select event_date, event_key from raw.events") == [(TODAY, "a")]
    # A file that was loaded right after it was written is compared once more, at the second look.
    assert sensor.look() == sensor.look() == []
    assert SensorState.parse(sensor.cursor).waiting == {}


def test_a_file_that_is_being_written_is_left_alone(pipeline: Pipeline, sensor: Sensor) -> None:
    pipeline.land(OLD, [an_event("a", OLD)], "part-0.ndjson.tmp")
    path = pipeline.land(OLD, [], "part-1.ndjson")
    for number in range(3):
        with path.open("a") as file:
            file.write(f"{number}\n")
        assert sensor.look() == []
    assert len(sensor.look()) == 1


def test_a_run_that_failed_is_not_asked_for_again_until_its_file_is_another(pipeline: Pipeline, sensor: Sensor) -> None:
    path = pipeline.land(OLD, [], "a.ndjson.zst")
    path.write_bytes(b"no zstd")
    sensor.look()
    (first,) = sensor.look()
    with pytest.raises(LandingError):
        pipeline.load(Window.day(OLD))
    assert sensor.look() == []
    path.write_bytes(b"no zstd either")
    assert sensor.look() == []
    (second,) = sensor.look()
    assert first.run_key != second.run_key


def test_a_file_that_was_only_touched_runs_nothing_and_is_read_once(pipeline: Pipeline, sensor: Sensor) -> None:
    path = pipeline.land(OLD, [an_event("a", OLD)])
    pipeline.load(Window.day(OLD))
    an_hour_ago = (datetime.now(UTC) - timedelta(hours=1)).timestamp()
    draft = path.with_name("draft.tmp")
    draft.write_bytes(path.read_bytes())
    os.utime(draft, (an_hour_ago, an_hour_ago))
    time.sleep(2.1)  # a change within two ticks of the file system's clock might not show in the file's times
    draft.rename(path)
    assert sensor.look() == sensor.look() == []
    versions = pipeline.rows("select file_version from ops.loads")
    assert sensor.look() == []
    assert SensorState.parse(sensor.cursor).waiting == {}
    assert pipeline.rows("select file_version from ops.loads") == versions, "what was compared is remembered"


def test_a_file_of_a_day_however_old_is_found_in_its_turn(pipeline: Pipeline, sensor: Sensor) -> None:
    for number in range(20):
        pipeline.land(START + number * ONE_DAY, [], "empty.ndjson")
    pipeline.load(Window(START, START + 20 * ONE_DAY))
    pipeline.land(START, [an_event("a", START)], "late.ndjson")
    requests = [request for _ in range(12) for request in sensor.look()]
    assert [request.partition_key or request.tags["dagster/asset_partition_range_start"] for request in requests] == [
        str(START)
    ]


def test_a_good_file_is_tried_again_when_the_foreign_one_beside_it_is_gone(pipeline: Pipeline, sensor: Sensor) -> None:
    pipeline.land(OLD, [an_event("a", OLD)], "good.ndjson")
    foreign = pipeline.land(OLD, ["not for the warehouse"], "notes.txt")
    sensor.look()
    (request,) = sensor.look()
    run = (
        definitions()
        .resolve_job_def("load_landing")
        .execute_in_process(
            instance=sensor.instance,
            tags={**request.tags, "dagster/run_key": request.run_key or ""},
            raise_on_error=False,
        )
    )
    assert not run.success
    assert sensor.look() == []
    assert sensor.message is not None
    for part in ("good.ndjson", run.run_id, "notes.txt is no landing file", "remove"):
        assert part in sensor.message
    waits = pipeline.rows("select event_date, reason from ops.stale_days")
    assert waits == [(OLD, "never_run")]
    foreign.unlink()
    (again,) = sensor.look()
    assert again.run_key != request.run_key
    pipeline.load(Window.day(OLD))
    assert sensor.look() == []
    assert pipeline.rows("select file from ops.waiting_files") == []


def test_a_day_whose_folder_is_gone_waits_no_longer(pipeline: Pipeline, sensor: Sensor) -> None:
    pipeline.land(START, [an_event("a", START)])
    sensor.look()
    (request,) = sensor.look()
    # Its run failed and is no longer on record.
    assert sensor.look() == []
    assert request.run_key
    assert pipeline.rows("select event_date from ops.stale_days") == [(START,)]
    shutil.rmtree(Path(pipeline.landing, "events", f"dt={START}"))
    assert sensor.look() == []
    assert sensor.message == "every landing file is loaded"
    assert pipeline.rows("select event_date from ops.stale_days") == []

    # Also when the sensor was reset meanwhile, and knows nothing of the day.
    pipeline.connection.execute("insert into ops.waiting_files values ('events/x', %s, 'damaged')", [START])
    sensor.cursor = None
    sensor.look()
    assert pipeline.rows("select event_date from ops.stale_days") == []


def test_a_landing_folder_that_is_not_there_is_nothing_to_do(pipeline: Pipeline, sensor: Sensor) -> None:
    assert not Path(pipeline.landing, "events").exists()
    assert sensor.look() == []


def test_no_run_is_asked_for_a_file_of_a_sealed_day_and_its_wait_is_recorded(
    sensor: Sensor, pipeline: Pipeline
) -> None:
    pipeline.land(OLD, [an_event("a", OLD)])
    retention.seal(pipeline.connection, OLD + ONE_DAY)
    for _ in range(3):
        assert sensor.look() == []
    [(file, reason)] = pipeline.rows("select file, reason from ops.waiting_files")
    assert file == f"events/dt={OLD}/part-0.ndjson"
    assert "is sealed" in reason
    assert "1 files of sealed days are not loaded" in str(sensor.message)
    assert pipeline.rows("select * from ops.stale_days") == []


def test_after_a_week_without_the_daemon_every_day_is_asked_for_in_one_run(pipeline: Pipeline, sensor: Sensor) -> None:
    assert sensor.look() == []
    week = [TODAY - number * ONE_DAY for number in range(2, 9)]
    for day in week:
        pipeline.land(day, [an_event(str(day), day)])
    requests = [request for _ in range(4) for request in sensor.look()]
    asked = {day for request in requests for day in days_of(request)}
    assert asked == set(week)
    assert len(requests) <= 2, "the latest days as one window, older ones in their turn"


def days_of(request: dg.RunRequest) -> list[date]:
    start, end = (request.tags[f"dagster/asset_partition_range_{part}"] for part in ("start", "end"))
    return list(Window(date.fromisoformat(start), date.fromisoformat(end) + ONE_DAY).days())
