"""Job that deletes Dagster's old runs, ticks and folders."""

from datetime import UTC, datetime

import dagster as dg

from orchestration import retries
from orchestration.defs.resources import WarehouseResource
from orchestration.instance import pruning
from publishing.dbt_manifest import target_dir
from warehouse.settings import settings


@dg.op(out=dg.Out(dg.Nothing), retry_policy=retries.RETRIES)
def prune_run_history_op(context: dg.OpExecutionContext, warehouse: WarehouseResource) -> None:
    """Delete ended runs, ticks and working folders that are older than WAREHOUSE_RUN_HISTORY_DAYS."""
    with retries.as_dagster_failure(), warehouse.connect() as connection:
        pruned = pruning.prune(
            context.instance,
            connection,
            now=datetime.now(UTC),
            keep_days=settings().warehouse_run_history_days,
            dbt_target=target_dir(),
            log=context.log.info,
        )
    context.add_output_metadata({"runs": pruned.runs, "folders": pruned.folders})


@dg.job(
    description=(
        "Deletes what Dagster keeps of runs older than WAREHOUSE_RUN_HISTORY_DAYS, but for runs that made what is"
        " published."
    )
)
def prune_run_history() -> None:
    prune_run_history_op()
