"""Pruning of Dagster's history: old runs with their logs, ticks of sensors, working folders of dbt.

Active runs stay, and so do runs that `ops` names as the source of built and published days.
"""

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

import dagster as dg
import psycopg
from dagster._core.storage.dagster_run import FINISHED_STATUSES

# A run has written its last line by then; of a folder of dbt, some 10 MB, nothing is needed but to look into a failure.
DBT_FOLDER_DAYS: Final = 7
_BATCH: Final = 200

_NAMED_BY_OPS: Final = """
select run_id from ops.published_days
union select build_id from ops.published_days
union select run_id from ops.published_marts
union select build_id from ops.built_days
union select build_id from ops.last_build
union select build_id from ops.writer
"""
# Deleting a run leaves these. The page shows the last one of each check.
_DELETE_CHECKS: Final = """
delete from dagster.asset_check_executions as old
where old.run_id = any(%s) and exists (
    select from dagster.asset_check_executions as later
    where later.asset_key = old.asset_key and later.check_name = old.check_name and later.id > old.id
)
"""


@dataclass(frozen=True, slots=True)
class Pruned:
    """Numbers of deleted runs and folders."""

    runs: int
    folders: int


def prune(
    instance: dg.DagsterInstance,
    connection: psycopg.Connection,
    *,
    now: datetime,
    keep_days: int,
    dbt_target: Path,
    log: Callable[[str], None],
) -> Pruned:
    """Delete history older than `keep_days`. It may be interrupted: the next call does the rest."""
    before = now - timedelta(days=keep_days)
    named = {name for (name,) in connection.execute(_NAMED_BY_OPS)}
    runs = 0
    for run_ids in _old_runs(instance, before, named):
        connection.execute(_DELETE_CHECKS, [run_ids])
        for run_id in run_ids:
            instance.delete_run(run_id)
        runs += len(run_ids)
        log(f"{runs:,} runs from before {before:%Y-%m-%d} are deleted")
    for state in instance.all_instigator_state():
        instance.purge_ticks(state.instigator_origin_id, state.selector_id, before=before.timestamp())
    folders = _delete(_run_folders(instance), before)
    folders += _delete(dbt_target.glob("dbt_models-*"), now - timedelta(days=min(keep_days, DBT_FOLDER_DAYS)))
    return Pruned(runs, folders)


def _old_runs(instance: dg.DagsterInstance, before: datetime, named: set[str]) -> Iterator[list[str]]:
    """Yield batches of ids of ended runs to delete, oldest first."""
    filters = dg.RunsFilter(statuses=FINISHED_STATUSES, created_before=before)
    cursor = None
    # A batch begins after the last run of the one before, which has to be there until then.
    cursors: list[str] = []
    while records := instance.get_run_records(filters, limit=_BATCH, ascending=True, cursor=cursor):
        run_ids = [record.dagster_run.run_id for record in records]
        cursor = run_ids.pop()
        cursors.append(cursor)
        yield [run_id for run_id in run_ids if run_id not in named]
    yield [run_id for run_id in cursors if run_id not in named]


def _run_folders(instance: dg.DagsterInstance) -> Iterator[Path]:
    """Yield folders of logs of deleted runs."""
    storage = Path(instance.storage_directory())
    for folder in storage.iterdir() if storage.is_dir() else ():
        if _is_run_id(folder.name) and not instance.has_run(folder.name):
            yield folder


def _is_run_id(name: str) -> bool:
    try:
        return str(UUID(name)) == name
    except ValueError:
        return False


def _delete(folders: Iterator[Path], before: datetime) -> int:
    """Delete folders without a change since `before`. Returns their number."""
    old = [folder for folder in folders if folder.is_dir() and _last_change(folder) < before.timestamp()]
    for folder in old:
        shutil.rmtree(folder, ignore_errors=True)
    return len(old)


def _last_change(folder: Path) -> float:
    try:
        return max(path.stat().st_mtime for path in (folder, *folder.rglob("*")))
    except FileNotFoundError:
        return time.time()  # a process is writing in it
