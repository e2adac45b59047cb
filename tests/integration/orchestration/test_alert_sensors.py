"""Sensors of alerts on runs of Dagster: what a person hears of a run, and what stands on the page of the asset."""

from collections.abc import Iterator
from datetime import UTC, datetime, time

import dagster as dg
import psycopg
import pytest

from ingestion.landing.files import LandingError
from orchestration.run_windows import STARTED_BY, run_tags
from tests.support.code_location import definitions, settings_of, settings_read_again
from tests.support.pipeline import Pipeline
from tests.support.receivers import WebhookReceiver, webhook
from warehouse.settings import settings
from warehouse.window import ONE_DAY, Window

YESTERDAY = datetime.now(UTC).date() - ONE_DAY
DAY = Window.day(YESTERDAY)
SENSORS = ("failed_runs_sensor", "repaired_runs_sensor", "alerts_sensor")


class Daemon:
    """The three sensors as the daemon evaluates them, each with the cursor of its last tick."""

    def __init__(self, pipeline: Pipeline, instance: dg.DagsterInstance) -> None:
        from orchestration.defs.resources import WarehouseResource

        repository = definitions().get_repository_def()
        self.sensors = {name: repository.get_sensor_def(name) for name in SENSORS}
        self.cursors: dict[str, str | None] = {}
        self.instance = instance
        self.resources = {"warehouse": WarehouseResource(url=pipeline.warehouse.url)}
        self.seen: list[dg.AssetObservation] = []
        self.tick()

    def tick(self) -> None:
        for name, sensor in self.sensors.items():
            context = dg.build_sensor_context(
                self.instance, cursor=self.cursors.get(name), resources=self.resources, sensor_name=name
            )
            with context:
                data = sensor.evaluate_tick(context)
            self.cursors[name] = data.cursor
            self.seen += [event for event in data.asset_events if isinstance(event, dg.AssetObservation)]

    def run(
        self,
        *failures: Exception,
        job: str = "daily_refresh",
        tags: dict[str, str] | None = None,
        config: dict[str, str] | None = None,
    ) -> str:
        """Run a job of one step, which fails as often as there are failures, and is tried four times."""
        left = list(failures)

        @dg.op(retry_policy=dg.RetryPolicy(max_retries=3), config_schema=dg.Permissive())
        def load(context: dg.OpExecutionContext) -> None:
            if left:
                raise left.pop(0)

        @dg.job(name=job)
        def of_one_step() -> None:
            load()

        result = of_one_step.execute_in_process(
            instance=self.instance,
            run_config={"ops": {"load": {"config": config or {}}}},
            tags={**({} if config else run_tags(DAY)), **(tags or {})},
            raise_on_error=False,
        )
        return result.run_id


@pytest.fixture
def receiver(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> Iterator[WebhookReceiver]:
    with webhook() as found:
        given = {"WAREHOUSE_ALERT_WEBHOOK": found.url, "WAREHOUSE_ALERT_FREE_GIGABYTES": "0"}
        for name, value in (settings_of(pipeline.warehouse, pipeline.landing) | given).items():
            monkeypatch.setenv(name, value)
        with settings_read_again():
            yield found


@pytest.fixture
def daemon(pipeline: Pipeline, receiver: WebhookReceiver) -> Iterator[Daemon]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield Daemon(pipeline, instance)


def title(text: str) -> str:
    return text.splitlines()[0].strip("*")


def test_a_night_with_three_retries_that_ends_well_is_no_message(daemon: Daemon, receiver: WebhookReceiver) -> None:
    run_id = daemon.run(*[OSError("away")] * 3)
    daemon.tick()
    assert daemon.instance.get_run_by_id(run_id).status is dg.DagsterRunStatus.SUCCESS  # type: ignore[union-attr]
    assert receiver.texts == []


def test_a_run_that_fails_and_the_next_one_that_succeeds_are_two_messages(
    daemon: Daemon, receiver: WebhookReceiver
) -> None:
    first = daemon.run(*[OSError("away")] * 4)
    for _ in range(3):
        daemon.tick()
    daemon.run(*[OSError("away")] * 4)
    daemon.tick()
    daemon.run()
    for _ in range(3):
        daemon.tick()
    assert [title(text) for text in receiver.texts] == [
        f"{word}: run failed: daily_refresh, {YESTERDAY}" for word in ("FAULT", "OVER")
    ]
    assert f"http://127.0.0.1:3000/runs/{first}" in receiver.texts[0]
    assert [seen.metadata["open_alerts"].value for seen in daemon.seen] == [0, 1, 1, 0], "the page shows each change"
    assert f"run failed: daily_refresh, {YESTERDAY}" in str(daemon.seen[1].metadata["faults"].value)
    assert daemon.seen[-1].metadata["faults"].value == "No fault is open."


def test_a_success_that_was_seen_before_the_failure_is_no_message(daemon: Daemon, receiver: WebhookReceiver) -> None:
    daemon.run(*[OSError("away")] * 4)
    daemon.run()
    # The sensor of failures comes last, as when it was slow.
    daemon.sensors["failed_runs_sensor"] = daemon.sensors.pop("failed_runs_sensor")
    daemon.tick()
    daemon.tick()
    assert receiver.texts == []


def test_a_job_with_other_settings_does_not_do_the_work_of_the_one_that_failed(
    daemon: Daemon, receiver: WebhookReceiver
) -> None:
    first, second = {"request": "1"}, {"request": "2"}
    daemon.run(*[OSError("away")] * 4, job="erase_subject", config=first)
    daemon.tick()
    daemon.run(job="erase_subject", config=second)
    daemon.tick()
    daemon.tick()
    assert [title(text) for text in receiver.texts] == ["FAULT: run failed: erase_subject"]
    daemon.run(job="erase_subject", config=first)
    daemon.tick()
    daemon.tick()
    assert [title(text) for text in receiver.texts[1:]] == ["OVER: run failed: erase_subject"]


def test_a_run_that_dagster_tries_again_is_no_message(daemon: Daemon, receiver: WebhookReceiver) -> None:
    daemon.run(*[OSError("away")] * 4, tags={"dagster/will_retry": "true"})
    daemon.tick()
    assert receiver.texts == []


def test_a_backfill_whose_run_failed_adds_nothing(daemon: Daemon, receiver: WebhookReceiver) -> None:
    parent = daemon.run(*[OSError("its run has failed")] * 4, job="backfill")
    daemon.run(*[OSError("away")] * 4, tags={STARTED_BY: parent})
    daemon.tick()
    daemon.tick()
    assert len(receiver.texts) == 1
    assert "job daily_refresh" in receiver.texts[0]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (LandingError("events/dt=2026-10-01/a.gz is truncated"), "a.gz is truncated"),
        (psycopg.errors.DiskFull("no space for ana@example.com"), "the disk of the Postgres server is full"),
        (psycopg.errors.UniqueViolation("Key (event_key)=(key-of-ana) already exists"), "with UniqueViolation"),
        (dg.Failure("dbt: test one_row_per_x: ana@example.com twice; model sessions: key-of-ana"), "model sessions"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_message_says_why_a_run_failed_and_names_no_person(
    daemon: Daemon, receiver: WebhookReceiver, error: Exception, said: str
) -> None:
    from orchestration import retries

    try:
        with retries.as_dagster_failure(LandingError):
            raise error
    except dg.Failure as failure:
        daemon.run(*[failure] * 4)
    daemon.tick()
    [text] = receiver.texts
    assert said in text
    assert "key-of-ana" not in text
    assert "ana@example.com" not in text


def test_the_webhook_and_the_password_are_in_no_record_of_dagster(
    daemon: Daemon, receiver: WebhookReceiver, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAREHOUSE_ALERT_SMTP", "smtp://u:p%40ss-word@127.0.0.1:9")
    monkeypatch.setenv("WAREHOUSE_ALERT_FROM", "a@example.com")
    monkeypatch.setenv("WAREHOUSE_ALERT_TO", "b@example.com")
    settings.cache_clear()
    receiver.status = 500
    run_id = daemon.run(*[OSError("away")] * 4)
    daemon.tick()
    run = daemon.instance.get_run_by_id(run_id)
    kept = [str(run), str(daemon.instance.all_logs(run_id)), str(daemon.cursors), str(daemon.seen), repr(settings())]
    kept += map(str, pipeline.rows("select * from ops.alert_messages"))
    for secret in (receiver.url, "secret-part", "p%40ss", "p@ss"):
        assert secret not in " ".join(kept)


def test_settings_that_cannot_be_used_are_said_and_stop_nothing(
    daemon: Daemon, receiver: WebhookReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAREHOUSE_ALERT_WEBHOOK", "no address")
    settings.cache_clear()
    daemon.run(*[OSError("away")] * 4)
    daemon.tick()
    assert "WAREHOUSE_ALERT_WEBHOOK" in str(daemon.seen[-1].description)
    assert daemon.seen[-1].metadata["open_alerts"].value == 1


def test_the_default_deadline_is_six_in_the_morning(receiver: WebhookReceiver) -> None:
    from orchestration.alerts import sources

    assert sources.bounds().deadline == time(6)
