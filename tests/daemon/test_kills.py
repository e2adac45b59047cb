"""Runs, servers and deployments that are killed: what they leave behind is known within two minutes, and made good."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from orchestration.cli.dagster_process import Deployment
from orchestration.cli.provision import prepare
from orchestration.instance import run_locks
from tests.conftest import FIRST_TEST_PORT
from tests.daemon.deployments import RunningDeployment, environment_of
from tests.support.dagster_runs import CHECKOUT, DagsterRuns
from tests.support.pipeline import START, Pipeline
from warehouse.connection import Warehouse
from warehouse.embedded.data_dir import read_lines
from warehouse.embedded.server import EmbeddedServer
from warehouse.window import ONE_DAY

# A run takes 15 s on a quiet machine, and minutes on a busy one.
pytestmark = [pytest.mark.daemon, pytest.mark.long, pytest.mark.timeout(1_200)]
REBUILD_SECONDS = 500

FIRST, SECOND, THIRD = (START + number * ONE_DAY for number in range(3))
# What is promised.
TWO_MINUTES = 120


@pytest.fixture
def server(open_folder: Path) -> Iterator[EmbeddedServer]:
    """A server that may be killed, which that of the other tests may not."""
    folder = open_folder / "kills"
    folder.mkdir()
    server = EmbeddedServer(folder, durable=False, first_port=FIRST_TEST_PORT + 50)
    prepare(Warehouse.from_embedded(server))
    yield server
    server.remove()


@pytest.fixture
def warehouse(server: EmbeddedServer) -> Warehouse:
    return Warehouse.from_embedded(server)


@pytest.fixture
def runs(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> DagsterRuns:
    return DagsterRuns(pipeline, monkeypatch)


@pytest.fixture
def deployment(runs: DagsterRuns, server: EmbeddedServer, tmp_path: Path) -> Iterator[RunningDeployment]:
    environment = environment_of(runs.pipeline.warehouse, runs.environment)
    deployment = RunningDeployment(tmp_path / "dagster", environment, checkout=server.folder.checkout)
    try:
        deployment.start()
        yield deployment
    finally:
        deployment.end()


def published(pipeline: Pipeline) -> set[date]:
    return {day for (day,) in pipeline.rows("select event_date from ops.published_days")}


def process_of(pipeline: Pipeline, run_id: str) -> int | None:
    """The process of a run, None before it has taken its lock."""
    return {run.run_id: run.pid for run in run_locks.processes_here(pipeline.connection)}.get(run_id)


def launched(deployment: RunningDeployment, day: date) -> str | None:
    """A run's id; None while a connection of before the restart is found broken."""
    try:
        return deployment.launch(day)
    except AssertionError as error:
        if "server closed the connection" in str(error) or "does not answer" in str(error):
            return None
        raise


def test_what_is_killed_is_known_within_two_minutes_and_its_days_are_built(
    deployment: RunningDeployment, pipeline: Pipeline, runs: DagsterRuns, server: EmbeddedServer
) -> None:
    for day in (FIRST, SECOND):
        event = {"eventType": "asset_viewed", "occurredAt": f"{day}T10:00:00Z", "ipAssetId": "a", "anonymousId": "a"}
        pipeline.land(day, [event | {"eventId": str(day)}])

    # A run of the daemon, and one of a shell that waits for it meanwhile, which is no sign of death.
    of_daemon = deployment.launch(FIRST)
    worker = deployment.wait_for("a worker", lambda: process_of(pipeline, of_daemon))
    shell = subprocess.Popen(
        [str(Path(sys.executable).with_name("dg")), "launch", "--job", "daily_refresh", "--partition", str(SECOND)],
        cwd=CHECKOUT,
        env={
            **os.environ,
            **environment_of(runs.pipeline.warehouse, runs.environment),
            "DAGSTER_HOME": str(deployment.home),
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def of_shell() -> str | None:
        return next((r.run_id for r in run_locks.processes_here(pipeline.connection) if r.pid == shell.pid), None)

    in_shell = deployment.wait_for("a run of the shell", of_shell)
    os.kill(worker, signal.SIGKILL)
    deployment.wait_for("the end of the killed run", lambda: deployment.ended_run(of_daemon), seconds=TWO_MINUTES)
    assert deployment.status(of_daemon) == "FAILURE"
    assert deployment.status(in_shell) == "STARTED"
    shell.kill()
    shell.wait()
    deployment.wait_for("the end of the shell's run", lambda: deployment.ended_run(in_shell), seconds=TWO_MINUTES)
    assert deployment.status(in_shell) == "FAILURE"
    assert "the process of this run has ended unexpectedly" in deployment.messages(in_shell)
    deployment.wait_for("both days", lambda: published(pipeline) >= {FIRST, SECOND}, seconds=REBUILD_SECONDS)

    # The server dies under the deployment.
    postmaster = int(read_lines(server.folder.data / "postmaster.pid")[0])
    os.kill(postmaster, signal.SIGKILL)
    deployment.wait_for("the server", lambda: "runs again" in deployment.log.read_text())
    deployment.wait_for("the page", deployment.repositories)
    pipeline.reconnect()

    # `make stop` while a run is at work.
    event = {"eventType": "asset_viewed", "occurredAt": f"{THIRD}T10:00:00Z", "ipAssetId": "a", "anonymousId": "a"}
    pipeline.land(THIRD, [event])
    stopped = deployment.wait_for("a run after the restart", lambda: launched(deployment, THIRD))
    deployment.wait_for("the run's lock", lambda: process_of(pipeline, stopped))
    assert Deployment(deployment.home).stop()
    assert run_locks.processes_here(pipeline.connection) == []
    deployment.process.wait()
    deployment.start()
    # A run that did not end in time was ended by force, and is found dead.
    ended = deployment.wait_for("the stopped run", lambda: deployment.ended_run(stopped), seconds=TWO_MINUTES)
    assert ended == "FAILURE"
    deployment.wait_for("the third day", lambda: THIRD in published(pipeline), seconds=REBUILD_SECONDS)
