"""Old runs go from Dagster's tables and folders; what is under way, or made what is published, stays."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import dagster as dg
import psycopg
import pytest
from dagster._core.test_utils import instance_for_test

from orchestration.instance import pruning
from warehouse.connection import Warehouse

NOW = datetime(2027, 3, 1, 4, 30, tzinfo=UTC)
OLD, YOUNG = NOW - timedelta(days=91), NOW - timedelta(days=89)
Status = dg.DagsterRunStatus


@pytest.fixture
def instance(warehouse: Warehouse) -> Iterator[dg.DagsterInstance]:
    """Dagster on the warehouse, with a folder of its own."""
    storage = {
        "module": "orchestration.instance.pooled_storage",
        "class": "PooledStorage",
        "config": {"postgres_url": warehouse.dagster_storage_url},
    }
    with instance_for_test(overrides={"storage": {"custom": storage}}) as instance:
        yield instance


def add_run(instance: dg.DagsterInstance, created: datetime, status: Status = Status.SUCCESS) -> str:
    """A run with a line in its log, and a folder of what it wrote."""
    run = dg.DagsterRun(job_name="daily_refresh", run_id=str(uuid4()), status=status)
    instance.run_storage.add_historical_run(run, created)
    instance.report_engine_event("began", run)
    folder = Path(instance.storage_directory(), run.run_id, "compute_logs")
    folder.mkdir(parents=True)
    (folder / "all.out").write_text("said")
    age(folder.parent, created)
    return run.run_id


def age(folder: Path, when: datetime) -> None:
    for path in (folder, *folder.rglob("*")):
        os.utime(path, (when.timestamp(), when.timestamp()))


def prune(instance: dg.DagsterInstance, connection: psycopg.Connection, target: Path) -> pruning.Pruned:
    return pruning.prune(instance, connection, now=NOW, keep_days=90, dbt_target=target, log=lambda _: None)


@pytest.fixture
def owner(warehouse: Warehouse) -> Iterator[psycopg.Connection]:
    with warehouse.connect(autocommit=True) as connection:
        yield connection


def test_old_runs_that_ended_go_with_their_logs(
    instance: dg.DagsterInstance, owner: psycopg.Connection, tmp_path: Path
) -> None:
    gone = [add_run(instance, OLD, status) for status in (Status.SUCCESS, Status.FAILURE, Status.CANCELED)]
    kept = [
        add_run(instance, YOUNG),
        add_run(instance, OLD, Status.STARTED),
        add_run(instance, OLD, Status.NOT_STARTED),
    ]

    assert prune(instance, owner, tmp_path) == pruning.Pruned(runs=3, folders=3)

    assert {run.run_id for run in instance.get_runs()} == set(kept)
    logged = owner.execute("select distinct run_id from dagster.event_logs").fetchall()
    assert {run_id for (run_id,) in logged} == set(kept)
    folders = {folder.name for folder in Path(instance.storage_directory()).iterdir()}
    assert folders & {*gone, *kept} == set(kept)
    assert prune(instance, owner, tmp_path) == pruning.Pruned(runs=0, folders=0)


def test_the_run_that_made_a_published_day_stays(
    instance: dg.DagsterInstance, owner: psycopg.Connection, tmp_path: Path
) -> None:
    built, published, replaced = (add_run(instance, OLD) for _ in range(3))
    owner.execute("insert into ops.published_days (event_date, build_id, run_id, change_id, model_version)"
                  " values ('2026-10-01', %s, %s, 1, '1')", [built, published])  # fmt: skip

    assert prune(instance, owner, tmp_path).runs == 1
    assert {run.run_id for run in instance.get_runs()} == {built, published}
    assert not instance.has_run(replaced)


def test_more_runs_than_fit_in_a_batch_go_in_one_night(
    instance: dg.DagsterInstance, owner: psycopg.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruning, "_BATCH", 2)
    for number in range(7):
        add_run(instance, OLD + timedelta(minutes=number))
    assert prune(instance, owner, tmp_path).runs == 7
    assert instance.get_runs() == []


def test_the_last_verdict_of_a_check_stays_whichever_run_gave_it(
    instance: dg.DagsterInstance, owner: psycopg.Connection, tmp_path: Path
) -> None:
    first, second, third = add_run(instance, OLD), add_run(instance, OLD), add_run(instance, YOUNG)
    for run_id, check in ((first, "counts"), (first, "sums"), (second, "counts"), (third, "sums")):
        owner.execute(
            "insert into dagster.asset_check_executions (asset_key, check_name, run_id, execution_status)"
            " values ('[\"raw\"]', %s, %s, 'SUCCEEDED')",
            [check, run_id],
        )
    prune(instance, owner, tmp_path)
    left = owner.execute("select check_name, run_id from dagster.asset_check_executions order by id").fetchall()
    assert left == [("counts", second), ("sums", third)]


def test_working_folders_of_dbt_are_kept_for_a_week(
    instance: dg.DagsterInstance, owner: psycopg.Connection, tmp_path: Path
) -> None:
    names = ("dbt_models-old", "dbt_models-young", "compiled")
    for name, days in zip(names, (8, 6, 400), strict=True):
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").write_text("{}")
        age(tmp_path / name, NOW - timedelta(days=days))
    assert prune(instance, owner, tmp_path).folders == 1
    assert {folder.name for folder in tmp_path.iterdir()} == {"dbt_models-young", "compiled"}
