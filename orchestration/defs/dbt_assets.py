"""Every seed and model of the dbt project as an asset; one dbt invocation a chunk of the run."""

from collections.abc import Iterator
from typing import Any, Final

import dagster as dg
import psycopg

from ingestion.window import Window
from orchestration import builds, dbt_results, failures, gates, row_counts
from orchestration import dbt as project
from orchestration.defs.raw_assets import DAILY
from orchestration.defs.resources import WarehouseResource, WriterResource
from orchestration.light_dagster_dbt import DagsterDbtCliRuntimeError, dbt_assets
from orchestration.partitions import window_of

# The rows of a chunk are sorted and grouped in one statement a model, which bounds memory and temporary files; each
# further invocation costs 3 s (measured 2026-11 on 2 cores).
BACKFILL_CHUNK_DAYS: Final = 31

# Runs with this tag drop the tables of intermediate and build first.
REBUILD_TAG: Final = "warehouse/rebuild"


@dbt_assets(
    manifest=project.manifest(),
    dagster_dbt_translator=project.WarehouseDbtTranslator(),
    partitions_def=DAILY,
    backfill_policy=dg.BackfillPolicy.single_run(),
    retry_policy=failures.RETRIES,
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
    with (
        failures.told(dbt_results.DbtFailed, builds.IncompleteRebuild),
        writer.connect() as connection,
        project.environment(variables),
    ):
        dbt_results.remove_old_folders(project.TARGET_DIR, prefix=context.op_execution_context.op.name)
        if context.run.tags.get(REBUILD_TAG):
            builds.clear(connection, window, project.windowed_tables(project.manifest()), build_id=build_id)
        builds.begin(connection, window, build_id=build_id, model_version=project.model_version())
        *earlier, last = window.chunks(BACKFILL_CHUNK_DAYS)
        for chunk in earlier:
            context.log.info(f"building {chunk}")
            for _ in _events(dbt, chunk, context):
                pass
        context.log.info(f"building {last}")
        # Dagster takes one materialization an asset and run; that of the last chunk stands for all.
        for event in _events(dbt, last, context):
            if isinstance(event, dg.Output):
                _tell_rows(context, context.asset_key_for_output(event.output_name), connection, window)
            yield event
        if context.is_subset:
            context.log.warning("only some models were built: these days cannot be published until all are")
            return
        builds.complete(connection, window, build_id=build_id)
        gates.record_dbt_tests(connection, window, build_id=build_id)


def _events(dbt: project.WarehouseDbt, chunk: Window, context: dg.AssetExecutionContext) -> Iterator[Any]:
    """Build and test a chunk; what dagster_dbt makes of it. Raises DbtFailed or MayPass."""
    invocation = dbt.cli(project.build_arguments(chunk), context=context)
    try:
        yield from invocation.stream()
    except DagsterDbtCliRuntimeError as error:
        raise dbt_results.failure(invocation.target_path, otherwise=str(error)) from error
    finally:
        # When the step fails between two events, dbt must not write on beside the next attempt.
        dbt_results.end(invocation.process)
        dbt_results.keep_parse(invocation.target_path, project.TARGET_DIR)


def _tell_rows(
    context: dg.AssetExecutionContext, key: dg.AssetKey, connection: psycopg.Connection, window: Window
) -> None:
    schema, table = key.path
    date_column = project.windowed_tables(project.manifest()).get((schema, table))
    if date_column:
        row_counts.tell(context, key, row_counts.rows_by_day(connection, schema, table, date_column, window))
