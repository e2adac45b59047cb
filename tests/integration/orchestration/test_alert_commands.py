"""The commands of a person on call: alerts, and the doctor that a timer starts."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from alerting import failed_runs
from alerting.tick import Ticker
from orchestration.cli import doctor
from tests.support.code_location import settings_of, settings_read_again
from tests.support.command_line import run_command
from tests.support.receivers import WebhookReceiver, webhook
from warehouse.connection import Warehouse
from warehouse.window import Window

Command = Callable[..., int]
DAY = datetime.now(UTC).date()


@pytest.fixture
def receiver() -> Iterator[WebhookReceiver]:
    with webhook() as found:
        yield found


@pytest.fixture
def command(
    warehouse: Warehouse, receiver: WebhookReceiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Command:
    monkeypatch.setattr(doctor, "RESTART_SECONDS", 0)
    environment = {
        **settings_of(warehouse, tmp_path),
        "WAREHOUSE_ALERT_WEBHOOK": receiver.url,
        "WAREHOUSE_ALERT_FREE_GIGABYTES": "0",
        "DAGSTER_HOME": str(tmp_path),
    }

    def run(*arguments: str, **more: str) -> int:
        with settings_read_again():
            return run_command(*arguments, environment=environment | more)

    return run


def titles(receiver: WebhookReceiver) -> list[str]:
    return [text.splitlines()[0].strip("*") for text in receiver.texts]


def test_every_channel_can_be_tested(
    command: Command, receiver: WebhookReceiver, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("alerts", "--test") == 0
    assert titles(receiver) == ["TEST: alerts of the warehouse come here"]
    receiver.status = 404
    assert command("alerts", "--test") == 1
    assert "status 404" in capsys.readouterr().err
    assert command("alerts", "--test", WAREHOUSE_ALERT_WEBHOOK="") == 1
    assert "no channel is configured" in capsys.readouterr().err


def test_what_is_open_is_listed_and_a_failed_run_can_be_dismissed(
    command: Command, connection: psycopg.Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    connection.commit()
    connection.autocommit = True
    now = datetime.now(UTC)
    failed_runs.record(connection, job="verify", window=Window.day(DAY), run_id="a-run", failed_at=now, reason="no")

    def tick() -> None:
        Ticker().tick(connection, lambda: failed_runs.faults(connection), [], ui_url="", now=now)

    tick()
    assert command("alerts") == 0
    shown = capsys.readouterr().out
    assert f"run failed: verify, {DAY}" in shown
    assert "warehouse alerts --dismiss a-run" in shown
    assert command("alerts", "--dismiss", "another") == 1
    assert command("alerts", "--dismiss", "a-run") == 0
    tick()
    capsys.readouterr()
    assert command("alerts") == 0
    assert capsys.readouterr() == ("", "no alert is open\n")


def test_a_server_that_is_down_for_hours_is_one_message_and_one_when_it_is_back(
    command: Command, receiver: WebhookReceiver, connection: psycopg.Connection
) -> None:
    down = {"WAREHOUSE_URL": "postgresql://owner:secret@127.0.0.1:9/warehouse"}
    receiver.status = 503
    assert command("doctor", "--notify", **down) == 1
    assert receiver.texts == []
    receiver.status = 200
    for _ in range(3):
        assert command("doctor", "--notify", **down) == 1
    assert titles(receiver) == ["FAULT: the warehouse is down"]
    assert "cannot be reached" in receiver.texts[0]
    assert "secret@" not in receiver.texts[0]
    # The server is back, and Dagster with it.
    connection.execute("create table dagster.daemon_heartbeats (timestamp timestamp)")
    connection.execute("insert into dagster.daemon_heartbeats values (now() at time zone 'UTC')")
    connection.execute("create table dagster.runs (run_id text, status text, end_time float, pipeline_name text)")
    connection.commit()
    for _ in range(2):
        command("doctor", "--notify")
    assert titles(receiver) == ["FAULT: the warehouse is down", "OVER: the warehouse is down"]


def test_a_daemon_that_is_off_is_said_and_without_the_option_nothing_is(
    command: Command, receiver: WebhookReceiver
) -> None:
    command("doctor")
    assert receiver.texts == []
    command("doctor", "--notify")
    assert "no schedule and no sensor is active" in receiver.texts[0]
