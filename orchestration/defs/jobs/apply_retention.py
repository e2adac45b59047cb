"""Job that seals days older than WAREHOUSE_RETENTION_DAYS, and drops their rows below the marts."""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, date, datetime

import dagster as dg

from ingestion import landing_removal, schema
from ingestion.landing.files import LandingError
from orchestration import retries
from orchestration.defs.resources import SourcesResource, WarehouseResource
from orchestration.instance.run_locks import notice_lost_clients
from publishing import retention_steps
from publishing.dbt_manifest import lookback_days, manifest
from publishing.marts import marts_of
from publishing.retention_bounds import RAW_REJECTED, bounds
from warehouse import retention
from warehouse.settings import settings
from warehouse.writer_lock import WriterBusy, writing


@dg.op(out=dg.Out(dg.Nothing), retry_policy=retries.RETRIES)
def apply_retention_op(context: dg.OpExecutionContext, warehouse: WarehouseResource, sources: SourcesResource) -> None:
    """Seal old days, drop their rows one day and table at a time, and delete their landing files where a setting says.

    The warehouse is held for one step at a time, so that runs go on in between.
    """
    with (
        retries.as_dagster_failure(LandingError, WriterBusy),
        warehouse.connect() as lock,
        warehouse.connect() as connection,
    ):
        notice_lost_clients(lock)
        schema.create(connection)
        connection.execute("select set_config('warehouse.build_id', %s, false)", [context.run_id])

        @contextmanager
        def holding() -> Generator[None]:
            with writing(lock, context.run_id, log=context.log.info):
                yield

        days = settings().warehouse_retention_days
        stale: list[date] = []
        first_unsealed = retention.sealed_before(connection)
        if days is not None:
            wanted = retention.boundary(datetime.now(UTC).date(), days)
            first_unsealed, stale = retention_steps.seal(connection, wanted, holding=holding)
            if stale:
                context.log.warning(
                    f"{len(stale)} days were sealed although they were stale or never published, and stay as they are:"
                    f" {', '.join(map(str, stale))}"
                )
        if first_unsealed is None:
            context.log.info("WAREHOUSE_RETENTION_DAYS is not set: no day is sealed, and all rows stay")
            return
        found = bounds(
            first_unsealed,
            marts_of(manifest()),
            attribution_days=lookback_days("attribution"),
            funnel_days=lookback_days("funnel"),
        )
        dropped = retention_steps.drop(connection, found, holding=holding, log=context.log.info)
        removed = landing_removal.Removed()
        if settings().warehouse_retention_landing:
            # A replay of rejected lines reads their files.
            [before] = [bound.before for bound in found if bound.relation == RAW_REJECTED]
            removed = landing_removal.remove_files(connection, sources.event_root, before=before, log=context.log.info)
    context.add_output_metadata(
        {
            "sealed_before": first_unsealed.isoformat(),
            "days_sealed_while_stale": [day.isoformat() for day in stale],
            "rows_dropped": dropped.rows,
            "tables_left": dropped.left,
            "bytes_freed": dropped.freed_bytes,
            "landing_files_deleted": removed.files,
            "landing_bytes_deleted": removed.file_bytes,
            "landing_files_kept": removed.kept,
        }
    )


@dg.job(
    description=(
        "Seals days older than WAREHOUSE_RETENTION_DAYS: their published numbers stay, and events for them are"
        " rejected. Drops their rows below the marts as soon as no later day reads them, one day and table at a time."
        " Does nothing while the setting is not there."
    )
)
def apply_retention() -> None:
    apply_retention_op()
