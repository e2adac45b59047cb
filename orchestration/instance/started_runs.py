"""Runs of job daily_refresh that another run starts, in its own process: chunks of a backfill, days of a mart alone."""

from datetime import date

import dagster as dg
from dagster._core.utils import make_new_run_id

from orchestration.instance import run_locks
from orchestration.run_windows import REFRESH, STARTED_BY, run_tags
from warehouse.connection import Warehouse
from warehouse.window import Window


def run_days(
    context: dg.OpExecutionContext | dg.AssetExecutionContext, window: Window, *, landing_end: date | None = None
) -> dg.ExecuteInProcessResult:
    """Run job daily_refresh for a window to its end. The run that starts it holds no right to write meanwhile."""
    # Imported here: the definitions include the jobs and steps that call this.
    from orchestration.definitions import definitions

    run_id = make_new_run_id()
    # Without its lock, the monitoring of runs would take it for dead and start it again beside this one.
    with run_locks.held(Warehouse.from_environment(), run_id):
        return (
            definitions()
            .resolve_job_def(REFRESH)
            .execute_in_process(
                instance=context.instance,
                tags={**run_tags(window, landing_end=landing_end), STARTED_BY: context.run_id},
                raise_on_error=False,
                run_id=run_id,
            )
        )
