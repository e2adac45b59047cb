"""Failed runs of Dagster: whether they are faults of their own, which days they had, and why they failed."""

import hashlib
import json
import re
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Final

import dagster as dg
from dagster._core.storage.tags import WILL_RETRY_TAG

from orchestration.run_windows import STARTED_BY
from warehouse.window import ONE_DAY, Window

# Of these, the message names files, hosts, days and checks, and never a value of an event.
_SAFE: Final = frozenset({
    "ApplicationSchemaError", "ApplicationUnavailable", "CheckoutChanged", "IncompleteRebuild", "LandingError",
    "LinkNotFollowed", "MartsInUse", "ObjectChanged", "PasswordRefused", "PublicationRefused", "StorageError",
    "StorageUnreachable", "UnloadableDay", "WarehouseUnavailable", "WindowMismatch", "WorkerKilled", "WriterBusy",
})  # fmt: skip
_EXPLAINED: Final = {
    "DiskFull": "the disk of the Postgres server is full",
    "OutOfMemory": "the Postgres server is out of memory",
    "AdminShutdown": "the Postgres server was shut down",
    "MemoryError": "this machine is out of memory",
}
# Names of what dbt could not make; the rest of its message may hold values of rows.
_DBT_NODES: Final = re.compile(r"\b(?:test|model|seed|snapshot) \w+(?=:)")
_SHOWN_CHARACTERS: Final = 400
# A run of this job loads what has landed, whichever day it is filed under.
_WITHOUT_DAYS: Final = frozenset({"load_landing"})
_PARTITION: Final = "dagster/partition"
_RANGE: Final = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")


def is_tried_again(run: dg.DagsterRun) -> bool:
    """Return whether Dagster starts a failed run again by itself."""
    return run.tags.get(WILL_RETRY_TAG) == "true"


def is_explained(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    """Return whether a run has failed because a run that it started has, which is a fault of its own."""
    started = dg.RunsFilter(tags={STARTED_BY: run.run_id}, statuses=[dg.DagsterRunStatus.FAILURE])
    return bool(instance.get_runs(started, limit=1))


def work_of(run: dg.DagsterRun) -> str:
    """Return a digest of the settings of a run without days: erasing one subject is not erasing another."""
    if window_of_run(run) is not None or run.job_name in _WITHOUT_DAYS:
        return ""
    return hashlib.sha256(json.dumps(run.run_config, sort_keys=True, default=str).encode()).hexdigest()[:12]


def is_repaired(instance: dg.DagsterInstance, run: dg.DagsterRun, failed_at: datetime) -> bool:
    """Return whether a later run of the job has done the work: the sensor of successes may have been the first."""
    window = window_of_run(run)
    records = instance.get_run_records(
        dg.RunsFilter(job_name=run.job_name, statuses=[dg.DagsterRunStatus.SUCCESS], updated_after=failed_at)
    )
    return any(
        _covers(window_of_run(record.dagster_run), window) and work_of(record.dagster_run) == work_of(run)
        for record in records
        if record.end_time and record.end_time > failed_at.timestamp()
    )


def _covers(other: Window | None, window: Window | None) -> bool:
    if window is None or other is None:
        return window is other
    return other.start <= window.start and window.end <= other.end


def window_of_run(run: dg.DagsterRun) -> Window | None:
    """Return the days of a run; None for a run without days, or whose days do not matter."""
    if run.job_name in _WITHOUT_DAYS:
        return None
    days = [run.tags[name] for name in (_PARTITION, *_RANGE) if name in run.tags]
    try:
        return Window(date.fromisoformat(days[0]), date.fromisoformat(days[-1]) + ONE_DAY) if days else None
    except ValueError:
        return None


def ended_at(instance: dg.DagsterInstance, run: dg.DagsterRun) -> datetime:
    """Return when a run has ended; now, where that is not on record."""
    record = instance.get_run_record_by_id(run.run_id)
    return datetime.fromtimestamp(record.end_time, UTC) if record and record.end_time else datetime.now(UTC)


def reason(failures: Iterable[dg.DagsterEvent]) -> str:
    """Return why a run has failed: the step, and the kind of error. Messages only of errors that name no person."""
    failure = next(iter(failures), None)
    if failure is None:
        return "it ended outside of a step: its process was killed, or it could not start"
    data = failure.step_failure_data
    names: list[str] = []
    error = data.error
    while error is not None:
        names.append(error.cls_name or "")
        error = error.cause
    description = (data.user_failure_data.description if data.user_failure_data else None) or ""
    text = f"step {failure.step_key} failed"
    explained = next((_EXPLAINED[name] for name in names if name in _EXPLAINED), None)
    if explained:
        return f"{text}: {explained}"
    if _SAFE.intersection(names) and description:
        return f"{text}: {' '.join(description.split())[:_SHOWN_CHARACTERS]}"
    if nodes := _DBT_NODES.findall(description):
        return f"{text}: {', '.join(dict.fromkeys(nodes))[:_SHOWN_CHARACTERS]}"
    return f"{text} with {next((name for name in reversed(names) if name), 'an error')}"
