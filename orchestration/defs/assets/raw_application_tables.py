"""The assets of the product's own tables, read from the application's database into schema raw."""

from collections.abc import Iterator
from datetime import UTC, datetime

import dagster as dg
from pydantic import Field

from ingestion import schema
from ingestion.application import schema as application_schema
from ingestion.application.source import ApplicationSchemaError, connect_application
from ingestion.application.sync import read_application
from ingestion.application.watermarks import ApplicationRowsMissing
from ingestion.subjects.erased_ids import ErasureKeyMissing
from orchestration import retries
from orchestration.defs.resources import SourcesResource, WriterResource
from orchestration.partitions import daily_step, raw_table
from orchestration.run_windows import unsealed_window_of
from publishing import stale_days


class ApplicationRead(dg.Config):
    """Options of one read of the product's tables."""

    is_full: bool = Field(False, description="Read every table whole, also those that say what has changed")
    accept_removals: list[str] = Field([], description="Tables that may have lost all of their rows, or most of them")


# Read as they are now, whatever the days. They are partitioned all the same: of assets with partitions and assets
# without, Dagster's daemon makes several runs, and none of them would build everything.
@daily_step(
    specs=[
        raw_table(
            ["raw", table.name],
            f"Versions of the product's table {table.name}; a row is appended when its content changes.",
        )
        for table in application_schema.TABLES
    ]
)
def raw_application_tables(
    context: dg.AssetExecutionContext,
    config: ApplicationRead,
    writer: WriterResource,
    sources: SourcesResource,
) -> Iterator[dg.MaterializeResult[None]]:
    """Read the product's own tables, in one snapshot, as they are now."""
    with (
        retries.as_dagster_failure(ApplicationSchemaError, ApplicationRowsMissing, ErasureKeyMissing, ValueError),
        writer.connect() as connection,
        connect_application(sources.application_url) as source,
    ):
        schema.create(connection)
        unsealed_window_of(context, connection)
        application_schema.create(connection)
        report = read_application(
            source,
            connection,
            observed_date=datetime.now(UTC).date(),
            hash_key=sources.hash_key,
            erasure_key=sources.erasure_key,
            is_full=config.is_full,
            accept_removals=config.accept_removals,
        )
        stale_days.mark_stale_days(connection)
    context.log.info(f"{report.rows_read:,} rows read, {report.versions_appended:,} versions appended")
    for name, counts in report.counts.items():
        yield dg.MaterializeResult(
            asset_key=["raw", name],
            metadata={
                "dagster/row_count": counts.rows_present,
                "rows_read": counts.rows_read,
                "read_in_full": counts.is_full,
                "versions_appended": counts.versions_appended,
                "removed": counts.removed,
            },
        )
