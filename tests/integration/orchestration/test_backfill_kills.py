"""Backfills that are killed: at most one chunk is done twice, and the end equals a rebuild."""

import os
import random
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from tests.integration.publishing.test_incremental_equals_rebuild import WINDOW, create_licenses, land, random_files
from tests.support.dagster_runs import DagsterRuns

CHUNK = "2"
# A run of six days takes half a minute here, of which the imports are the first seconds.
FIRST_SECONDS, LAST_SECONDS = 8.0, 40.0


def kill(process: "subprocess.Popen[bytes]", victim: str) -> None:
    """Kill the job, its dbt, or its connection's server process, and wait until the job has ended."""
    if victim == "dbt":
        children = psutil.Process(process.pid).children(recursive=True)
        for child in children:
            child.kill()
        # The job fails of it, or had no child at this moment.
    if victim == "job" or process.poll() is None:
        process.send_signal(signal.SIGKILL)
    process.wait()


def published_at(runs: DagsterRuns) -> dict[object, object]:
    return dict(runs.pipeline.rows("select event_date, published_at from ops.published_days"))


def run_through_kills(runs: DagsterRuns, tmp_path: Path, kills: int, seed: int) -> None:
    """Start the job again after each kill, and in the end let it run."""
    chance = random.Random(seed)  # noqa: S311
    pipeline = runs.pipeline
    create_licenses(pipeline, asset_of="asset-2")
    files = random_files(seed)
    land(pipeline, files)
    for number in range(kills):
        before = published_at(runs)
        process = runs.start(WINDOW, tmp_path / f"{number}.log", "backfill", WAREHOUSE_CHUNK_DAYS=CHUNK)
        time.sleep(chance.uniform(FIRST_SECONDS, LAST_SECONDS))
        kill(process, chance.choice(["job", "dbt"]))
        after = published_at(runs)
        stale = {day for (day,) in pipeline.rows("select event_date from ops.stale_days")}
        again = {day for day in before if after[day] != before[day]}
        assert again <= stale | set(after), "a day that is published stays published"
        assert before.keys() <= after.keys()
    log = tmp_path / "last.log"
    process = runs.start(WINDOW, log, "backfill", WAREHOUSE_CHUNK_DAYS=CHUNK)
    assert process.wait() == 0, log.read_text()
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
