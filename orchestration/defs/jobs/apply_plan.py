"""Job that applies a change of code: builds the changed models for all published days, then publishes them at once."""

from collections.abc import Set
from datetime import date
from enum import StrEnum
from typing import Any

import dagster as dg
import psycopg
from dagster._utils.env import environ
from pydantic import Field

from orchestration import retries
from orchestration.dbt import cli_resource
from orchestration.dbt import invocation as dbt_results
from orchestration.defs.jobs.backfill import run_chunks
from orchestration.defs.resources import WarehouseResource
from publishing import change_plan, dbt_manifest, gates, mart_tables, stale_days, swap
from publishing.mart_locks import MartsInUse
from publishing.marts import marts_of
from publishing.publish import PublicationRefused
from publishing.scopes import Scope
from warehouse.settings import settings
from warehouse.window import NotADay, Window, parse_day


class Strategy(StrEnum):
    """The moment at which readers see the new version of a mart, or no new plan at all."""

    SWAP = "swap"
    IN_PLACE = "in_place"
    GO_ON = "go_on"


class Plan(dg.Config):
    """The strategy of the plan, and its first day."""

    strategy: Strategy = Field(
        Strategy.SWAP,
        description="swap: readers see the new version when every published day has it; in_place: each chunk is"
        " published when it is ready; go_on: the plan that was applied before is carried on",
    )
    from_day: str = Field(
        "",
        description="YYYY-MM-DD: older days keep the old version, and weeks, months and periods mix; empty: all days",
    )


@dg.op(out=dg.Out(dg.Nothing))
def apply_plan_op(
    context: dg.OpExecutionContext, config: Plan, warehouse: WarehouseResource, dbt: cli_resource.WarehouseDbt
) -> None:
    """Build changed models for published days in chunks of WAREHOUSE_CHUNK_DAYS days, then publish their marts."""
    project = dbt_manifest.project_version()
    with warehouse.connect() as connection:
        if config.strategy is not Strategy.GO_ON:
            _apply(connection, config)
        progress = change_plan.progress(connection, project)
    if progress is None:
        context.log.info("the loaded models are those that are published: nothing to do")
        return
    context.log.info(f"carrying out a plan for {', '.join(progress.models)}")
    held = _fill(context, warehouse)
    with warehouse.connect() as connection:
        progress = change_plan.progress(connection, project)
    if progress is None:
        context.log.info("another run has ended the plan")
    elif progress.other_code:
        raise dg.Failure(
            f"the loaded code has other versions of {', '.join(progress.other_code)} than the plan: apply it again",
            allow_retries=False,
        )
    elif progress.days_to_build:
        names = ", ".join(map(str, sorted(held.union(progress.days_to_build))))
        raise dg.Failure(
            f"readers keep the old version: {names} have no new one. Their runs say why. Correct that; the sensor then"
            " goes on, or run this job with strategy go_on",
            allow_retries=False,
        )
    else:
        _swap(context, warehouse, dbt, progress)


def _apply(connection: psycopg.Connection, config: Plan) -> None:
    with retries.as_dagster_failure(NotADay):
        from_date = parse_day(config.from_day) if config.from_day else None
    is_in_place = config.strategy is Strategy.IN_PLACE
    if is_in_place or from_date:
        _assert_may_have_two_versions(connection)
    change_plan.apply(connection, dbt_manifest.project_version(), is_in_place=is_in_place, from_date=from_date)


def _assert_may_have_two_versions(connection: psycopg.Connection) -> None:
    marts = [mart for mart in marts_of(dbt_manifest.manifest()) if mart.scope is Scope.DAY]
    with connection.cursor() as cursor:
        obsolete = mart_tables.obsolete_columns(cursor, marts)
    if obsolete:
        raise dg.Failure(
            f"columns of {', '.join(obsolete)} were removed or have other types, and a table has one set of columns for"
            " old and new days: apply this change with the strategy swap, for all days",
            allow_retries=False,
        )


def _fill(context: dg.OpExecutionContext, warehouse: WarehouseResource) -> set[date]:
    """Run the days that lack new versions, oldest first. Return the days that a check refuses."""

    def chunks_without(connection: psycopg.Connection, held: Set[date]) -> list[Window]:
        progress = change_plan.progress(connection, dbt_manifest.project_version())
        days = set(progress.days_to_build) - held if progress else set()
        return stale_days.plan_windows(days, apart=set(), at_most=settings().warehouse_chunk_days)

    _, held = run_chunks(context, warehouse, chunks_without)
    return held


def _swap(
    context: dg.OpExecutionContext,
    warehouse: WarehouseResource,
    dbt: cli_resource.WarehouseDbt,
    progress: change_plan.Progress,
) -> None:
    """Build the rollups of the plan over all published days, check them, and publish all changed marts."""
    manifest = dbt_manifest.manifest()
    run_id = context.run_id
    with (
        retries.as_dagster_failure(dbt_results.DbtFailed, PublicationRefused, MartsInUse),
        warehouse.write(context) as connection,
    ):
        window = change_plan.published_window(connection)
        if window is None:
            raise PublicationRefused("no swap: no day is published")
        built = swap.unsealed_window(connection, window)
        context.log.info(f"every day of {built} has the new versions; building weeks, months and periods")
        swap.begin(connection, manifest, build_id=run_id)
        variables = {
            **warehouse.warehouse.dbt_env(),
            cli_resource.BUILD_ID_VARIABLE: run_id,
            **swap.dbt_variables(connection, window),
        }
        for selection in swap.selection(manifest, progress):
            with environ(variables):
                _build(context, dbt, cli_resource.build_arguments(built, selection))
        failed = [
            outcome
            for outcome in gates.run_checks_of_swap(
                connection,
                window,
                gates.checks_of(swap.models_built_last(manifest, progress)),
                build_id=run_id,
                sqlalchemy_url=warehouse.warehouse.sqlalchemy_url,
            )
            if outcome.blocks
        ]
        if failed:
            found = "; ".join(f"{outcome.name} fails for {', '.join(map(str, outcome.days))}" for outcome in failed)
            raise PublicationRefused(f"readers keep the old version: {found}")
        published = swap.publish(connection, manifest=manifest, loaded=dbt_manifest.project_version(), run_id=run_id)
    versions = dbt_manifest.project_version().versions
    schemas = {mart.name: mart.schema for mart in marts_of(manifest)}
    for mart, rows in published.rows.items():
        metadata: dict[str, Any] = {"rows_moved": rows, "model_version": versions[mart], "build": run_id}
        context.log_event(dg.AssetMaterialization([schemas[mart], mart], metadata=metadata))
    for mart in published.dropped:
        context.log.warning(f"dropped {mart}: no model makes it any more")
    context.log.info(f"readers see the new version of {', '.join(progress.models)}")


def _build(context: dg.OpExecutionContext, dbt: cli_resource.WarehouseDbt, arguments: list[str]) -> None:
    invocation = dbt.cli(arguments, raise_on_error=False)
    for event in invocation.stream_raw_events():
        context.log.debug(str(event))
    if not invocation.is_successful():
        code = invocation.process.returncode
        raise dbt_results.failure(invocation.target_path, otherwise="dbt has failed", exit_code=code)


@dg.job(
    description=(
        "Applies a change of code: what `warehouse plan` shows. The changed models are built for all published days, in"
        " chunks, while readers keep the old version and nights go on. When every day has the new version, one"
        " transaction puts it in place. A job that died or was cancelled goes on where it ended: a sensor sees to it."
    )
)
def apply_plan() -> None:
    apply_plan_op()
