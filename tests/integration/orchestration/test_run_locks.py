"""Run locks: held by the process of a run alone, and free when the process is killed."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import dagster as dg
import psycopg
import pytest
from dagster._core.launcher.base import WorkerStatus

from orchestration.instance import run_launcher, run_locks
from orchestration.instance.run_launcher import LockedRunLauncher
from tests.support.dagster_runs import CHECKOUT
from warehouse.connection import Warehouse

RUN_ID = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
HOLDER = """
import sys, time
from orchestration.instance import run_locks
from warehouse.connection import Warehouse
with run_locks.held(Warehouse.from_url(sys.argv[1]), sys.argv[2]):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def holder(warehouse: Warehouse) -> Iterator["subprocess.Popen[str]"]:
    """A process that runs something."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, warehouse.url, RUN_ID],
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        stdout=subprocess.PIPE,
        text=True,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


@pytest.fixture
def launcher(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> LockedRunLauncher:
    monkeypatch.setenv("WAREHOUSE_URL", warehouse.url)
    return LockedRunLauncher()


def within_seconds(condition: Callable[[], bool], seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def health(launcher: LockedRunLauncher) -> WorkerStatus:
    return launcher.check_run_worker_health(dg.DagsterRun(job_name="daily_refresh", run_id=RUN_ID)).status


def test_the_lock_of_a_killed_run_is_free(holder: "subprocess.Popen[str]", connection: psycopg.Connection) -> None:
    assert run_locks.is_held(connection, RUN_ID)
    assert not run_locks.is_held(connection, "another")
    assert run_locks.processes_here(connection) == [run_locks.RunProcess(RUN_ID, holder.pid)]
    holder.kill()
    holder.wait()
    assert within_seconds(lambda: not run_locks.is_held(connection, RUN_ID))
    assert run_locks.processes_here(connection) == []


def test_a_run_whose_session_was_ended_takes_its_lock_again(
    holder: "subprocess.Popen[str]", connection: psycopg.Connection
) -> None:
    connection.execute(
        "select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name like 'run %'"
    )
    assert within_seconds(lambda: run_locks.is_held(connection, RUN_ID))


def test_runs_are_interrupted_and_then_ended_by_force(
    holder: "subprocess.Popen[str]", connection: psycopg.Connection
) -> None:
    connection.autocommit = True
    assert run_locks.interrupt_all(connection, seconds=5) == [run_locks.RunProcess(RUN_ID, holder.pid)]
    assert holder.wait(timeout=10) != 0


def test_dagster_takes_a_run_for_dead_when_its_lock_stays_missing(
    launcher: LockedRunLauncher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_launcher, "GRACE_SECONDS", 0.2)
    assert health(launcher) is WorkerStatus.RUNNING, "one look is no proof"
    time.sleep(0.3)
    found = launcher.check_run_worker_health(dg.DagsterRun(job_name="daily_refresh", run_id=RUN_ID))
    assert found.status is WorkerStatus.NOT_FOUND
    assert "ended unexpectedly" in str(found.msg)


def test_dagster_takes_a_run_for_alive_while_it_holds_its_lock(
    launcher: LockedRunLauncher, holder: "subprocess.Popen[str]", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_launcher, "GRACE_SECONDS", 0)
    assert health(launcher) is health(launcher) is WorkerStatus.RUNNING


def test_a_server_that_is_away_says_nothing_of_a_run(
    launcher: LockedRunLauncher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_launcher, "GRACE_SECONDS", 0)
    monkeypatch.setenv("WAREHOUSE_URL", "postgresql://nobody:nothing@127.0.0.1:9/nowhere")
    assert health(launcher) is health(launcher) is WorkerStatus.RUNNING
