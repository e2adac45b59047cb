"""Seeds and models of the dbt project as assets, with the attribution fits between them.

dbt is invoked once for each chunk of a run, twice where the chunk has several weeks.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import dagster as dg
import psycopg
from dagster._utils.env import environ

from attribution import schema as attribution_schema
from ingestion import attribution_migration, channel_seeds
from ingestion.ad_spend import schema as ad_spend_schema
from orchestration import retries, row_counts
from orchestration.dbt import check_names, cli_resource, code_changes, kept_assets, specs
from orchestration.dbt import invocation as dbt_results
from orchestration.dbt.light_import import DagsterDbtCliRuntimeError
from orchestration.defs.resources import SourcesResource, WarehouseResource, WriterResource
from orchestration.marts import partial_runs
from orchestration.partitions import daily_step
from orchestration.run_windows import unsealed_window_of, window_of
from publishing import (
    applied_models,
    build_steps,
    builds,
    dbt_manifest,
    dbt_tests,
    loaded_version,
    mart_tables,
    marts,
)
from publishing.mart_locks import MartsInUse
from publishing.scopes import Scope
from warehouse import child_processes
from warehouse.window import Window

# The rows of a chunk are sorted and grouped in one statement a model, which bounds memory and temporary files; each
# further invocation costs 3 s (measured 2026-11 on 2 cores).
BACKFILL_CHUNK_DAYS: Final = 31

# Runs with this tag drop the tables of intermediate and build first.
REBUILD_TAG: Final = "warehouse/rebuild"


# As dagster_dbt's own decorator does, for one asset more.
@daily_step(specs=specs.specs().assets, check_specs=specs.specs().checks, can_subset=True)
def dbt_models(
    context: dg.AssetExecutionContext,
    warehouse: WarehouseResource,
    writer: WriterResource,
    sources: SourcesResource,
    dbt: cli_resource.WarehouseDbt,
) -> Iterator[Any]:
    """Rebuild the run's days, oldest chunk first. A day whose models and tests have all passed is completely built."""
    if partial_runs.is_part(context.selected_asset_keys):
        with retries.as_dagster_failure():
            yield from partial_runs.run_whole_days(context, window_of(context))
        return
    build_id = context.run.run_id
    variables = {**warehouse.warehouse.dbt_env(), cli_resource.BUILD_ID_VARIABLE: build_id}
    expected = (dbt_results.DbtFailed, builds.IncompleteRebuild, channel_seeds.SeedsNotNormalized, MartsInUse)
    with retries.as_dagster_failure(*expected), writer.connect() as connection, environ(variables):
        window = unsealed_window_of(context, connection)
        channel_seeds.require_normal_form(loaded_version.project_dir() / "seeds")
        dbt_results.remove_old_folders(dbt_manifest.target_dir(), prefix=context.op_execution_context.op.name)
        is_rebuild = REBUILD_TAG in context.run.tags
        if is_rebuild:
            made = [*dbt_manifest.windowed_tables(dbt_manifest.manifest()), *attribution_schema.TABLES]
            by_day = dbt_manifest.windowed_tables(dbt_manifest.manifest(), scope=Scope.DAY)
            builds.clear(connection, window, made, build_id=build_id, day_columns=by_day)
        # A job without the steps that load must find what models read, also in a warehouse of an older version.
        attribution_migration.fill_normalized(connection, sources.rules)
        ad_spend_schema.create(connection, sources.rules)
        attribution_schema.create(connection)
        code_changes.apply_where_set(connection, is_rebuild=is_rebuild)
        plan = builds.begin(connection, window, build_id=build_id, project=dbt_manifest.project_version())
        # A new mart appears when it is published.
        withheld = applied_models.withheld(connection, window)
        mart_tables.create_missing_tables(
            connection, [mart for mart in marts.marts_of(dbt_manifest.manifest()) if mart.name not in withheld]
        )
        changed = None
        if plan.models is not None:
            changed = build_steps.Partial.of(dbt_manifest.manifest(), plan.models, plan.project.not_built)
            context.log.info(f"building {', '.join(plan.models)}, and no others: {_why(connection)}")
            yield from kept_assets.results(changed, is_below=False)
        *earlier, last = window.chunks(BACKFILL_CHUNK_DAYS)
        with environ(builds.dbt_variables(connection, window, build_id=build_id, is_rebuild=is_rebuild)):
            for chunk in earlier:
                for _ in _built(context, dbt, connection, window, chunk, changed):
                    pass
            # Dagster takes one materialization an asset and run; that of the last chunk stands for all.
            for event in _last_built(context, dbt, connection, window, last, changed):
                if isinstance(event, dg.Output):
                    _add_metadata(context, context.asset_key_for_output(event.output_name), connection, window)
                yield event
        if changed is not None:
            yield from kept_assets.results(changed, is_below=True)
        builds.complete(connection, window, build_id=build_id, log=context.log.info)
        dbt_tests.record_passed(connection, window, build_id=build_id)


def _last_built(
    context: dg.AssetExecutionContext,
    dbt: cli_resource.WarehouseDbt,
    connection: psycopg.Connection,
    window: Window,
    last: Window,
    changed: build_steps.Partial | None,
) -> Iterator[Any]:
    """Build the last chunk of the window, and with it or after it the marts that read the days of all chunks."""
    yield from _built(context, dbt, connection, window, last, changed)
    rollups = build_steps.rollup_options(changed)
    if last != window and rollups is not None:
        yield from _events(context, dbt, connection, window, window, rollups)


def _built(
    context: dg.AssetExecutionContext,
    dbt: cli_resource.WarehouseDbt,
    connection: psycopg.Connection,
    window: Window,
    chunk: Window,
    changed: build_steps.Partial | None,
) -> Iterator[Any]:
    """Build and test a chunk of the window, and fit its weeks. Yields Dagster's events."""
    context.log.info(f"building {chunk}")
    selections = build_steps.selections(chunk, window, changed)
    for selection in selections[:-1]:
        yield from _events(context, dbt, connection, window, chunk, selection)
    fitted: list[dg.MaterializeResult[Any]] = []
    if changed is None or changed.has_fits:
        weeks = build_steps.fit(connection, window, chunk, build_id=context.run.run_id, log=context.log.info)
        fitted.append(dg.MaterializeResult(asset_key=specs.VALUES, metadata={"weeks_fitted": len(weeks)}))
    for event in (
        event for last in selections[-1:] for event in _events(context, dbt, connection, window, chunk, last)
    ):
        # Dagster wants an asset's result after those of what it is made from and before those of what is made from it.
        if (
            isinstance(event, dg.Output)
            and context.asset_key_for_output(event.output_name) in specs.readers_of_values()
        ):
            yield from fitted
            fitted = []
        yield event
    yield from fitted


def _why(connection: psycopg.Connection) -> str:
    waiting = applied_models.waiting_models(connection, dbt_manifest.project_version())
    return code_changes.sentence(waiting) if waiting else "only the version of models has changed"


def _events(
    context: dg.AssetExecutionContext,
    dbt: cli_resource.WarehouseDbt,
    connection: psycopg.Connection,
    window: Window,
    chunk: Window,
    selection: Sequence[str],
) -> Iterator[Any]:
    """Invoke dbt once, and yield the events of dagster_dbt, results of tests with their days.

    Tests that fail are recorded: their days are refused. Raises DbtFailed or TransientError.
    """
    failing = dbt_tests.failing_days(connection, outside=window)
    invocation = dbt.cli(cli_resource.build_arguments(chunk, selection), context=context)
    try:
        for event in invocation.stream():
            if isinstance(event, dg.AssetCheckResult):
                yield check_names.with_days(event, chunk, failing, specs.test_of(event))
            else:
                yield event
    except DagsterDbtCliRuntimeError as error:
        if failed := dbt_results.failed_tests(invocation.target_path):
            dbt_tests.record_failed(connection, chunk, failed, build_id=context.run.run_id)
        code = invocation.process.returncode
        raise dbt_results.failure(invocation.target_path, otherwise=str(error), exit_code=code) from error
    finally:
        # When the step fails between two events, dbt must not write on beside the next attempt.
        child_processes.interrupt(invocation.process, seconds=dbt_results.STOP_SECONDS)
        dbt_results.keep_parse(invocation.target_path, dbt_manifest.target_dir())


def _add_metadata(
    context: dg.AssetExecutionContext, key: dg.AssetKey, connection: psycopg.Connection, window: Window
) -> None:
    schema, table = key.path
    if version := dbt_manifest.project_version().versions.get(table):
        context.add_asset_metadata({"model_version": version, "build": context.run.run_id}, asset_key=key)
    date_column = dbt_manifest.windowed_tables(dbt_manifest.manifest(), scope=Scope.DAY).get((schema, table))
    if date_column:
        row_counts.add_row_counts(context, key, row_counts.rows_by_day(connection, schema, table, date_column, window))
