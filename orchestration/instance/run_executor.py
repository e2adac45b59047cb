"""Executor of every job: all steps in one process, which holds the lock of its run."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
from dagster._core.execution.retries import RetryMode
from dagster._core.executor.in_process import InProcessExecutor

from orchestration.instance import run_locks
from warehouse.connection import Warehouse
from warehouse.settings import settings


class LockedRunExecutor(InProcessExecutor):
    """In-process executor that holds the lock of its run."""

    def execute(self, plan_context: Any, execution_plan: Any) -> Iterator[dg.DagsterEvent]:
        """Run the steps. The run's lock is taken before any resource, so that a run that waits is seen to live."""
        warehouse = Warehouse.from_url(settings().warehouse_url.get_secret_value())
        with run_locks.held(warehouse, plan_context.run_id):
            yield from super().execute(plan_context, execution_plan)


@dg.executor(name="in_process")
def locked_run_executor(context: dg.InitExecutorContext) -> LockedRunExecutor:  # noqa: ARG001
    # One process a run: a one-day run spends more time on starting processes than on its work.
    return LockedRunExecutor(retries=RetryMode.ENABLED)
