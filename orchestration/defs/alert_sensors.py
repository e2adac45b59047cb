"""Alerts in Dagster: sensors that notice failed runs and open faults, and the asset that shows what is open."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

import dagster as dg

from alerting import failed_runs
from alerting.messages import markdown
from alerting.tick import Ticker
from orchestration.alerts import run_failures, sources
from orchestration.defs.resources import WarehouseResource
from orchestration.partitions import table_spec
from warehouse.settings import settings

# It remembers, over ticks of this process, what a server with a full disk cannot record.
_ticker: Final = Ticker()
_ASSET: Final = dg.AssetKey(["ops", "alerts"])

open_alerts = table_spec(
    _ASSET.path,
    "Open faults: runs that failed, days that were refused or not published in time, a plan that waits, too many"
    " rejected lines or late events, a full disk. The latest observation shows them as a table. `alerts_sensor` records"
    " it when something changes.",
    kinds={"postgres"},
)


@dg.run_failure_sensor(
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Records runs that failed and are not tried again, for alerts. A run whose day a check has refused is"
    " left out: the refused day is the fault.",
)
def failed_runs_sensor(context: dg.RunFailureSensorContext, warehouse: WarehouseResource) -> dg.SkipReason | None:
    """Record a failed run."""
    run = context.dagster_run
    if run_failures.is_tried_again(run):
        return dg.SkipReason(f"run {run.run_id} is tried again")
    if run_failures.is_explained(context.instance, run):
        return dg.SkipReason(f"run {run.run_id} failed because of runs that it started, which are recorded")
    failed_at = run_failures.ended_at(context.instance, run)
    if run_failures.is_repaired(context.instance, run, failed_at):
        return dg.SkipReason(f"a later run has done the work of run {run.run_id}")
    with warehouse.connect() as connection:
        failed_runs.record(
            connection,
            job=run.job_name,
            work=run_failures.work_of(run),
            window=run_failures.window_of_run(run),
            run_id=run.run_id,
            failed_at=failed_at,
            reason=run_failures.reason(context.get_step_failure_events()),
        )
    return None


@dg.run_status_sensor(
    run_status=dg.DagsterRunStatus.SUCCESS,
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Forgets the failed runs that a run which succeeded has made good.",
)
def repaired_runs_sensor(context: dg.RunStatusSensorContext, warehouse: WarehouseResource) -> None:
    """Forget the failures of the days and job of a run that succeeded."""
    run = context.dagster_run
    with warehouse.connect() as connection:
        failed_runs.forget(
            connection,
            job=run.job_name,
            work=run_failures.work_of(run),
            window=run_failures.window_of_run(run),
            ended_at=run_failures.ended_at(context.instance, run),
        )


@dg.sensor(
    target=None,
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Finds what is wrong with the warehouse, sends one message for each alert and one when it is over, and"
    " sends again what a channel did not take. Without WAREHOUSE_ALERT_WEBHOOK and WAREHOUSE_ALERT_SMTP it only shows"
    " the alerts at asset ops/alerts.",
)
def alerts_sensor(
    context: dg.SensorEvaluationContext, warehouse: WarehouseResource
) -> Iterator[dg.SkipReason | dg.SensorResult]:
    """Find open faults, and send messages."""
    now = datetime.now(UTC)
    channels, mistake = sources.channels()
    with warehouse.connect() as connection:
        found = _ticker.tick(
            connection,
            lambda: sources.faults(connection, context.instance, warehouse.warehouse, now),
            channels,
            ui_url=settings().warehouse_ui_url,
            now=now,
            log=context.log.warning,
        )
    if found is None:
        yield dg.SkipReason("another process is sending alerts")
        return
    table = markdown(found, ui_url=settings().warehouse_ui_url)
    shown = mistake or f"{len(found)} alerts are open"
    is_news = context.cursor != table
    observation = dg.AssetObservation(
        _ASSET, metadata={"open_alerts": len(found), "faults": dg.MetadataValue.md(table)}, description=shown
    )
    yield dg.SensorResult(
        skip_reason=shown, asset_events=[observation] if is_news else [], cursor=table if is_news else context.cursor
    )
