"""The jobs that people start by hand, run as Dagster runs them: reloads, replays, a rotation of the encryption key."""

import shutil
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from ingestion.encryption.props import PropEncryption
from ingestion.encryption.tokens import KeyRing, new_key
from ingestion.loading.landing_day import load_landing_day
from ingestion.validation.validator import LineValidator, RejectedLine
from orchestration.defs.jobs.reload_landing_days import reload_landing_days
from orchestration.defs.jobs.replay_rejected import replay_rejected
from orchestration.defs.jobs.rotate_encryption_key import rotate_encryption_key
from orchestration.defs.resources import SourcesResource, WarehouseResource, WriterResource
from tests.support.code_location import settings_of
from tests.support.command_line import run_command
from tests.support.keys import HASH_KEY
from tests.support.pipeline import START, Pipeline
from warehouse.connection import CHECKOUT
from warehouse.window import Window
from warehouse.writer_lock import writing

DAY = date(2026, 10, 2)
OLD, NEW = new_key(), new_key()


def load(pipeline: Pipeline, encryption: PropEncryption | None = None) -> None:
    event = {"eventType": "page_viewed", "occurredAt": "2026-10-02T10:00:00Z", "props": {"legalName": "Jane"}}
    pipeline.land(DAY, [event, "no JSON"])
    load_landing_day(
        pipeline.connection, root=pipeline.landing, landing_date=DAY, start_date=START, encryption=encryption
    )


def run(pipeline: Pipeline, job: dg.JobDefinition, config: dict[str, Any], **sources: str) -> dg.ExecuteInProcessResult:
    warehouse = WarehouseResource(url=pipeline.warehouse.url)
    return job.execute_in_process(
        run_config={"ops": config} if config else None,
        resources={
            "warehouse": warehouse,
            "writer": WriterResource(warehouse=warehouse),
            "sources": SourcesResource(
                landing_url=str(pipeline.landing),
                application_url="",
                hash_key=HASH_KEY,
                start_date=str(START),
                **sources,
            ),
        },
        raise_on_error=False,
    )


def failure(result: dg.ExecuteInProcessResult) -> str:
    assert not result.success
    (event,) = [event for event in result.all_events if event.event_type == dg.DagsterEventType.STEP_FAILURE]
    return str(event.step_failure_data.error)


def test_the_job_replays_what_its_config_says_and_its_days_become_stale(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(LineValidator, "accept", lambda *_: None)
        patch.setattr(LineValidator, "explain_rejection", lambda *_: RejectedLine("", 0, ("line: too strict a rule",)))
        load(pipeline)
    chosen = {"reason": "line: too", "landing_start": "2026-10-02", "landing_end": "2026-10-03"}
    config = {"replay_rejected_op": {"config": chosen}}
    result = run(pipeline, replay_rejected, config)
    assert result.success
    assert pipeline.rows("select event_date from raw.events") == [(DAY,)]
    assert pipeline.rows("select reasons from raw.rejected_events") == [(["line: not JSON"],)]
    assert pipeline.rows("select event_date, reason from ops.stale_day_marks") == [(DAY, "events_changed")]
    # The job held the warehouse while it wrote, and let it go.
    assert pipeline.rows("select build_id from ops.writer") == [(result.run_id,)]
    with pipeline.warehouse.connect(autocommit=True) as connection, writing(connection, "next", log=pytest.fail):
        pass


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({}, "say which rejected lines to replay"),
        ({"landing_start": "2026-10-02"}, "its end is missing"),
        ({"load_id": 1, "landing_end": "2026-10-02"}, "its start is missing"),
    ],
)
def test_a_replay_that_does_not_say_what_is_refused(pipeline: Pipeline, config: dict[str, Any], words: str) -> None:
    assert words in failure(run(pipeline, replay_rejected, {"replay_rejected_op": {"config": config}}))


def test_a_file_that_is_gone_is_named_by_the_job(pipeline: Pipeline) -> None:
    load(pipeline)
    (pipeline.landing / "events" / f"dt={DAY}" / "part-0.ndjson").unlink()
    config = {"replay_rejected_op": {"config": {"reason": "line:"}}}
    assert "dt=2026-10-02/part-0.ndjson is missing" in failure(run(pipeline, replay_rejected, config))


def test_the_job_encrypts_everything_by_the_first_key(pipeline: Pipeline) -> None:
    load(pipeline, PropEncryption.from_settings("legalName", OLD))
    assert "match none of the keys" in failure(run(pipeline, rotate_encryption_key, {}, encryption_key=NEW))
    assert "WAREHOUSE_ENCRYPTION_KEY is missing" in failure(run(pipeline, rotate_encryption_key, {}))
    assert run(pipeline, rotate_encryption_key, {}, encryption_key=f"{NEW},{OLD}").success
    ((token,),) = pipeline.rows("select props ->> 'legalName' from raw.events")
    assert KeyRing.parse(NEW).decrypt(token) == "Jane"


def test_named_props_without_a_key_are_an_error_of_the_settings(pipeline: Pipeline) -> None:
    load(pipeline)
    config = {"replay_rejected_op": {"config": {"reason": "line:"}}}
    words = failure(run(pipeline, replay_rejected, config, encrypted_props="legalName"))
    assert "names legalName, and WAREHOUSE_ENCRYPTION_KEY is missing" in words


def days(start: str, end: str) -> dict[str, Any]:
    return {"reload_landing_days_op": {"config": {"start": start, "end": end}}}


def test_the_job_loads_landing_days_again_whose_rules_differ_and_says_what_came_of_it(pipeline: Pipeline) -> None:
    load(pipeline)
    pipeline.land(DAY, [{"eventType": "page_viewed", "occurredAt": "2026-10-02T11:00:00Z"}], "gone.ndjson")
    pipeline.load(Window.day(DAY))
    (pipeline.landing / "events" / f"dt={DAY}" / "gone.ndjson").unlink()
    pipeline.connection.execute("update ops.loads set rules_digest = 'of older rules'")
    pipeline.connection.execute("update raw.events set device_type = 'as older rules had it'")
    pipeline.connection.execute("delete from ops.stale_day_marks")

    result = run(pipeline, reload_landing_days, days("2026-10-02", "2026-10-03"))
    assert result.success
    [output] = [event for event in result.all_events if event.event_type == dg.DagsterEventType.STEP_OUTPUT]
    metadata = {name: value.value for name, value in output.step_output_data.metadata.items()}
    assert metadata["landing_days"] == ["2026-10-02"]
    assert (metadata["files_loaded"], metadata["files_gone"]) == (1, 1)
    assert metadata["files_gone_names"] == ["events/dt=2026-10-02/gone.ndjson"]
    assert (metadata["lines_read"], metadata["accepted"], metadata["rejected"]) == (2, 1, 1)
    # What is gone keeps its row.
    assert pipeline.rows("select device_type from raw.events order by occurred_at") == [
        (None,),
        ("as older rules had it",),
    ]
    assert pipeline.rows("select event_date, reason from ops.stale_day_marks") == [(DAY, "events_changed")]


def test_days_of_todays_rules_are_not_loaded_again(pipeline: Pipeline) -> None:
    load(pipeline)
    assert run(pipeline, reload_landing_days, days("2026-10-02", "2026-10-03")).success
    loads = pipeline.rows("select load_id from ops.loads order by 1")
    assert run(pipeline, reload_landing_days, days("2026-10-01", "2026-11-01")).success
    assert pipeline.rows("select load_id from ops.loads order by 1") == loads


def test_days_that_end_before_they_start_are_refused_by_the_job(pipeline: Pipeline) -> None:
    words = failure(run(pipeline, reload_landing_days, days("2026-10-02", "2026-10-02")))
    assert "for the single day 2026-10-02, end is 2026-10-03" in words


@pytest.mark.slow
def test_the_command_reloads_days_and_says_what_came_of_it(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "dagster"
    home.mkdir()
    shutil.copy(CHECKOUT / ".dagster" / "dagster.yaml", home)
    for name, value in {**settings_of(pipeline.warehouse, pipeline.landing), "DAGSTER_HOME": str(home)}.items():
        monkeypatch.setenv(name, value)
    load(pipeline)
    pipeline.connection.execute("update ops.loads set rules_digest = 'of older rules'")

    assert run_command("reload", "2026-10-02", "2026-10-02") == 2
    assert "for the single day 2026-10-02, end is 2026-10-03" in capsys.readouterr().err
    assert run_command("reload", "2026-10-02", "2026-10-03") == 0
    assert "landing day 2026-10-02: 2 lines of 1 files: 1 accepted, 1 rejected" in capsys.readouterr().out
    left = "select count(*) from ops.loads where rules_digest = 'of older rules' and replaced_by is null"
    assert pipeline.rows(left) == [(0,)]
