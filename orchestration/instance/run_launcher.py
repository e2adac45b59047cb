"""Run launcher that reports to Dagster's run monitoring if the process of a run is alive."""

import os
import time
from typing import Any, Final

import psycopg
from dagster import DagsterRun
from dagster._core.launcher.base import CheckRunHealthResult, WorkerStatus
from dagster._core.launcher.default_run_launcher import DefaultRunLauncher

from orchestration.instance import run_locks
from warehouse.connection import Warehouse, WarehouseUnavailable

# A run takes its lock again within seconds after a restart of the server; busy machines get some more.
GRACE_SECONDS: Final = 20


class LockedRunLauncher(DefaultRunLauncher):
    """DefaultRunLauncher that checks health by run locks, also for runs of `dg launch`."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._missing_since: dict[str, float] = {}

    @property
    def supports_check_run_worker_health(self) -> bool:
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Return if a started run is alive. A lock that is missing at one look only is no proof."""
        try:
            with Warehouse.from_url(os.environ.get("WAREHOUSE_URL", "")).connect(autocommit=True) as connection:
                is_held = run_locks.is_held(connection, run.run_id)
        except (WarehouseUnavailable, psycopg.Error) as error:
            return CheckRunHealthResult(WorkerStatus.RUNNING, f"the warehouse cannot be asked: {error}")
        if is_held:
            self._missing_since.pop(run.run_id, None)
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        now = time.monotonic()
        if now - self._missing_since.setdefault(run.run_id, now) < GRACE_SECONDS:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(
            WorkerStatus.NOT_FOUND,
            "the process of this run has ended unexpectedly: it was killed, or its machine was stopped. What it had"
            " published stays, and its other days are run again by themselves",
        )
