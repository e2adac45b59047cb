"""Published marts and their rollup inputs as assets, moved in one transaction after every gate has passed."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg

from ingestion.raw_access import entity_lookup
from ingestion.subjects import erasure
from orchestration import retries, row_counts
from orchestration.defs.resources import ExportsResource, WarehouseResource, WriterResource
from orchestration.marts import mart_specs, partial_runs, status_asset
from orchestration.partitions import daily_step
from orchestration.reports import writing
from orchestration.reports.place import report_in
from orchestration.run_windows import unsealed_window_of, window_of
from publishing import applied_models, dbt_manifest, gates
from publishing.mart_locks import MartsInUse
from publishing.marts import Mart, marts_of
from publishing.publish import Publication, PublicationRefused, publish
from publishing.scopes import Scope
from warehouse.window import ONE_DAY
from warehouse.writer_lock import WriterBusy


@daily_step(
    specs=mart_specs.specs(dbt_manifest.manifest()),
    check_specs=mart_specs.check_specs(dbt_manifest.manifest()),
    can_subset=True,
)
def published_marts(
    context: dg.AssetExecutionContext, warehouse: WarehouseResource, writer: WriterResource, exports: ExportsResource
) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
    """Move the run's days from build to marts, all together; fails for days that have not passed every gate.

    Marts that wait for a plan keep the days that they have. For some marts alone the whole chain is run.
    """
    if partial_runs.is_part(context.selected_asset_keys):
        with retries.as_dagster_failure():
            yield from partial_runs.run_whole_days(context, window_of(context))
    elif context.selected_asset_keys:
        yield from _published(context, writer, report_in(exports.folder))
    with retries.as_dagster_failure(), warehouse.connect() as connection:
        now = status_asset.read(connection, datetime.now(UTC))
    context.log_event(status_asset.observation(now))
    yield from mart_specs.check_results(now.days, context.selected_asset_check_keys)


def _published(
    context: dg.AssetExecutionContext, writer: WriterResource, report_path: Path
) -> Iterator[dg.MaterializeResult[None]]:
    """Publish the days of the run, and yield a result of each mart."""
    marts = marts_of(dbt_manifest.manifest())
    with retries.as_dagster_failure(PublicationRefused, MartsInUse, WriterBusy), writer.connect() as connection:
        window = unsealed_window_of(context, connection)
        published = publish(
            connection,
            marts=marts,
            window=window,
            run_id=context.run.run_id,
            raw_checks=gates.RAW_GATE,
            build_checks=gates.build_gate(applied_models.not_built(connection, window)),
        )
        _log_removals(context, published)
        erasure.complete_erasures(connection)
        # Not while they are loaded: entity_events.py says what that would cost.
        entity_lookup.index_published_days(connection)
        counted: dict[str, int] = (
            {} if published.days_unchanged is None else {"days_unchanged": published.days_unchanged}
        )
        report = writing.write_after_publication(context, writer.warehouse.warehouse, report_path)
        metadata: dict[str, Any] = {
            "days": f"{window.start} to {window.end - ONE_DAY}", **counted,
            **({"marts_dropped": list(published.dropped)} if published.dropped else {}), **report,
        }  # fmt: skip
        versions = dbt_manifest.project_version().versions
        for mart in marts:
            if mart.name in published.withheld:
                # A new mart is no table yet.
                yield dg.MaterializeResult(
                    asset_key=[mart.schema, mart.name], metadata={"unchanged": True, "waits_for_plan": True}
                )
                continue
            if mart.scope is Scope.DAY and not mart.is_view:
                rows = row_counts.rows_by_day(connection, mart.schema, mart.name, mart.date_column, window)
                row_counts.add_row_counts(context, dg.AssetKey([mart.schema, mart.name]), rows)
            yield dg.MaterializeResult(
                asset_key=[mart.schema, mart.name],
                metadata={
                    **metadata,
                    **_rows(mart, published),
                    "model_version": versions[mart.name],
                    "build": context.run.run_id,
                },
            )


def _rows(mart: Mart, published: Publication) -> dict[str, Any]:
    """Return the rows that the publication has moved: for a mart that is replaced as a whole, all that it has."""
    if mart.is_view:
        return {}
    if mart.name not in published.rows:
        # A mart whose model was not built again has kept its rows.
        return {"unchanged": True}
    rows = published.rows[mart.name]
    return {"rows_published": rows, **({"dagster/row_count": rows} if mart.scope is Scope.SNAPSHOT else {})}


def _log_removals(context: dg.AssetExecutionContext, published: Publication) -> None:
    for mart in published.dropped:
        context.log.warning(f"dropped {mart}: no model makes it any more")
    for mart in published.kept:
        context.log.warning(
            f"{mart} has no model any more and is not updated; it stays, because a view of another owner reads it."
            " Drop that view, and the next publication drops the mart"
        )
    if published.withheld:
        context.log.warning(f"not published, because a plan waits or is carried out: {', '.join(published.withheld)}")
    if published.days_unchanged:
        context.log.info(f"{published.days_unchanged} days came out as they were published before")
