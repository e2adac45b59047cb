"""Schema marts as assets: what BI reads, moved there in one transaction when every gate has been passed."""

from collections.abc import Iterator

import dagster as dg

from orchestration import dbt as project
from orchestration import gates
from orchestration.defs.raw_assets import DAILY, RETRIES
from orchestration.defs.resources import WarehouseResource, WriterResource
from orchestration.mart_tables import marts_of
from orchestration.partitions import window_of
from orchestration.publication import PublicationRefused, publish


@dg.multi_asset(
    specs=[
        dg.AssetSpec(
            ["marts", mart.name],
            deps=[["build", mart.name]],
            description=mart.description,
            group_name="marts",
            kinds={"postgres"},
            owners=project.OWNERS,
            metadata={"dagster/table_name": f"warehouse.marts.{mart.name}"},
        )
        for mart in marts_of(project.manifest())
    ],
    partitions_def=DAILY,
    backfill_policy=dg.BackfillPolicy.single_run(),
    retry_policy=RETRIES,
)
def published_marts(
    context: dg.AssetExecutionContext, warehouse: WarehouseResource, writer: WriterResource
) -> Iterator[dg.MaterializeResult[None]]:
    """Move the run's days from build to marts, all marts together; refuses days that have not passed every gate."""
    with warehouse.connect() as connection:
        try:
            rows = publish(
                connection,
                marts=marts_of(project.manifest()),
                window=window_of(context),
                run_id=context.run.run_id,
                raw_checks=gates.RAW_GATE,
                build_checks=gates.BUILD_GATE,
            )
        except PublicationRefused as error:
            raise dg.Failure(str(error), allow_retries=False) from error
    for name, count in rows.items():
        yield dg.MaterializeResult(asset_key=["marts", name], metadata={"dagster/partition_row_count": count})
