"""Published marts and their rollup inputs as assets, moved in one transaction after every gate has passed."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from ingestion.raw_access import entity_lookup
from ingestion.subjects import erasure
from orchestration import retries, row_counts
from orchestration.defs.resources import ExportsResource, WriterResource
from orchestration.partitions import daily_step, table_spec
from orchestration.reports import writing
from orchestration.reports.place import report_in
from orchestration.run_windows import unsealed_window_of
from publishing import applied_models, dbt_manifest, gates
from publishing.mart_locks import MartsInUse
from publishing.marts import marts_of
from publishing.publish import Publication, PublicationRefused, publish
from publishing.scopes import Scope
from warehouse.writer_lock import WriterBusy


@daily_step(
    specs=[
        table_spec([mart.schema, mart.name], mart.description, kinds={"postgres"}, deps=[["build", mart.name]])
        for mart in marts_of(dbt_manifest.manifest())
    ]
)
def published_marts(
    context: dg.AssetExecutionContext, writer: WriterResource, exports: ExportsResource
) -> Iterator[dg.MaterializeResult[None]]:
    """Move the run's days from build to marts, all together; fails for days that have not passed every gate.

    Marts that wait for a plan keep the days that they have.
    """
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
        report = writing.write_after_publication(context, writer.warehouse.warehouse, report_in(exports.folder))
        metadata: dict[str, Any] = {**counted, "marts_dropped": list(published.dropped), **report}
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
            # A mart whose model was not built again has kept its rows.
            kept = {} if mart.is_view or mart.name in published.rows else {"unchanged": True}
            yield dg.MaterializeResult(
                asset_key=[mart.schema, mart.name],
                metadata={**metadata, **kept, "model_version": versions[mart.name], "build": context.run.run_id},
            )


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
