"""Every seed and model of the dbt project as an asset; one dbt invocation a chunk of the run."""

from collections.abc import Iterator
from typing import Any, Final

import dagster as dg
from dagster_dbt import dbt_assets

from orchestration import builds, gates
from orchestration import dbt as project
from orchestration.defs.raw_assets import DAILY
from orchestration.defs.resources import WarehouseResource, WriterResource
from orchestration.partitions import window_of

# The rows of a chunk are sorted and grouped in one statement a model, which bounds memory and temporary files; each
# further invocation costs 3 s (measured 2026-11 on 2 cores).
BACKFILL_CHUNK_DAYS: Final = 31

# Runs with this tag drop the tables of intermediate and build first.
REBUILD_TAG: Final = "warehouse/rebuild"


@dbt_assets(
    manifest=project.manifest(),
    dagster_dbt_translator=project.WarehouseDbtTranslator(),
    select="resource_type:model resource_type:seed",
    partitions_def=DAILY,
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def dbt_models(
    context: dg.AssetExecutionContext,
    warehouse: WarehouseResource,
    writer: WriterResource,
    dbt: project.WarehouseDbt,
) -> Iterator[Any]:
    """Rebuild the run's days, oldest chunk first. A day whose models and tests have all passed is completely built."""
    window = window_of(context)
    build_id = context.run.run_id
    variables = {**warehouse.located().dbt_env(), project.BUILD_ID_VARIABLE: build_id}
    chunks = list(window.chunks(BACKFILL_CHUNK_DAYS))
    with warehouse.connect() as connection, project.environment(variables):
        if context.run.tags.get(REBUILD_TAG):
            try:
                builds.clear(connection, window, project.windowed_tables(project.manifest()), build_id=build_id)
            except builds.IncompleteRebuild as error:
                raise dg.Failure(str(error), allow_retries=False) from error
        builds.begin(connection, window, build_id=build_id, model_version=project.model_version())
        for chunk in chunks:
            context.log.info(f"building {chunk}")
            invocation = dbt.cli(project.build_arguments(chunk), context=context)
            if chunk is chunks[-1]:
                # Dagster takes one materialization an asset and run; it stands for all chunks.
                yield from invocation.stream()
            else:
                invocation.wait()
        if context.is_subset:
            context.log.warning("only some models were built: these days cannot be published until all are")
            return
        builds.complete(connection, window, build_id=build_id)
        gates.record_dbt_tests(connection, window, build_id=build_id)
