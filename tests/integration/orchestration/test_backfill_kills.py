"""Backfills that are killed: a job goes on where the last one ended, and the end equals a rebuild."""

import os
import random
import re
import signal
import subprocess
import time
from contextlib import suppress
from datetime import date
from pathlib import Path

import pytest

from publishing import backfill_plan
from tests.integration.publishing.test_incremental_equals_rebuild import WINDOW, create_licenses, land, random_files
from tests.support.dagster_runs import DagsterRuns
from warehouse.window import Window

CHUNK = "2"
# A run of six days takes half a minute here, of which the imports are the first seconds.
FIRST_SECONDS, LAST_SECONDS = 8.0, 40.0
RUNNING = re.compile(r"\[(\d{4}-\d\d-\d\d), (\d{4}-\d\d-\d\d)\): running")


def kill(process: "subprocess.Popen[bytes]", victim: str) -> None:
    """Kill the job or its dbt, and wait until the job has ended: of a killed dbt by itself."""
    children = [
        int(pid) for task in Path(f"/proc/{process.pid}/task").glob("*/children") for pid in task.read_text().split()
    ]
    for pid in children if victim == "dbt" and children else [process.pid]:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait(timeout=600)


def first_pass(log: Path) -> list[date]:
    """Return the days of a job's chunks until it begins again with an earlier one."""
    days: list[date] = []
    for start, end in RUNNING.findall(log.read_text()):
        if days and date.fromisoformat(start) <= days[-1]:
            break
        days += Window.parse(start, end).days()
    return days


def run_through_kills(runs: DagsterRuns, tmp_path: Path, kills: int, seed: int) -> None:
    """Start the job again after each kill, and in the end let it run."""
    chance = random.Random(seed)  # noqa: S311
    pipeline = runs.pipeline
    create_licenses(pipeline, asset_of="asset-2")
    files = random_files(seed)
    land(pipeline, files)
    for number in range(kills + 1):
        published = {day for (day,) in pipeline.rows("select event_date from ops.published_days")}
        to_run = sorted(backfill_plan.days_to_run(pipeline.connection, WINDOW, project=pipeline.version))
        log = tmp_path / f"{number}.log"
        process = runs.start(WINDOW, log, "backfill", WAREHOUSE_CHUNK_DAYS=CHUNK)
        if number < kills:
            time.sleep(chance.uniform(FIRST_SECONDS, LAST_SECONDS))
            kill(process, chance.choice(["job", "dbt"]))
        else:
            assert process.wait() == 0, log.read_text()
        ran = first_pass(log)
        assert ran == to_run[: len(ran)], "a job goes on with the days that are not published or stale, and no others"
        assert published <= {day for (day,) in pipeline.rows("select event_date from ops.published_days")}
    assert ran == to_run
    pipeline.catch_up()
    incremental = pipeline.contents()
    pipeline.wipe()
    land(pipeline, files)
    rebuild = runs.run(WINDOW)
    assert rebuild.is_success, rebuild.error
    pipeline.catch_up()
    expected = pipeline.contents()
    for table, rows in expected.items():
        assert incremental[table] == rows, table


@pytest.mark.slow
def test_a_backfill_that_was_killed_goes_on_and_ends_as_a_rebuild(runs: DagsterRuns, tmp_path: Path) -> None:
    run_through_kills(runs, tmp_path, kills=1, seed=int(os.environ.get("WAREHOUSE_TEST_SEED", "3")))


@pytest.mark.long
def test_a_backfill_that_was_killed_many_times_ends_as_a_rebuild(runs: DagsterRuns, tmp_path: Path) -> None:
    run_through_kills(runs, tmp_path, kills=10, seed=int(os.environ.get("WAREHOUSE_TEST_SEED", "5")))
