"""Schema raw as assets: landing files and the product's own tables."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Final

import dagster as dg

from ingestion import application_schema, schema
from ingestion.application import ApplicationSchemaError, ApplicationUnavailable, connect_application, read_application
from ingestion.landing import LandingError
from ingestion.loading import LoadReport, load_window
from ingestion.window import ONE_DAY, Window
from orchestration import staleness
from orchestration.dbt import OWNERS
from orchestration.defs.resources import SourcesResource, WarehouseResource, WriterResource
from orchestration.partitions import daily_partitions, window_of
from orchestration.settings import settings

DAILY: Final = daily_partitions(settings().warehouse_start_date)

# A server that restarts is back within a minute; a file or a rule that is wrong stays wrong and is not tried again.
RETRIES: Final = dg.RetryPolicy(max_retries=3, delay=10, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)

_EVENT_SPECS: Final = (
    dg.AssetSpec(
        ["raw", "events"],
        description=(
            "One row per accepted event: the winner among the copies of an (event day, key). A partition is a landing"
            " day and what the day after it has brought so far; its events belong to the days on which they occurred."
        ),
        group_name="raw",
        kinds={"python", "postgres"},
        owners=OWNERS,
        metadata={"dagster/table_name": "warehouse.raw.events"},
    ),
    dg.AssetSpec(
        ["raw", "attribution"],
        description="At most one row per event: the utm fields, referrer, landing page and click ids that it carried.",
        group_name="raw",
        kinds={"python", "postgres"},
        owners=OWNERS,
        metadata={"dagster/table_name": "warehouse.raw.attribution"},
    ),
)


@dg.multi_asset(
    specs=_EVENT_SPECS, partitions_def=DAILY, backfill_policy=dg.BackfillPolicy.single_run(), retry_policy=RETRIES
)
def raw_events(
    context: dg.AssetExecutionContext, warehouse: WarehouseResource, writer: WriterResource, sources: SourcesResource
) -> Iterator[dg.MaterializeResult[None]]:
    """Load the landing days of the run, and the day after them so far: an event of 23:59:58 lands after midnight."""
    window = window_of(context)
    landing_days = Window(window.start, window.end + ONE_DAY)
    with warehouse.connect() as connection:
        schema.create(connection)
        try:
            reports = load_window(
                connection,
                root=sources.landing_root,
                window=landing_days,
                start_date=sources.first_day,
                on_day=lambda report: context.log.info(_told(report)),
            )
        except LandingError as error:
            raise dg.Failure(str(error), allow_retries=False) from error
        marked = staleness.spread(connection)
    metadata = _load_metadata(reports)
    for reason, days in marked.items():
        metadata[f"days_stale_by_{reason}"] = days
    rows = metadata.pop("accepted")
    yield dg.MaterializeResult(asset_key=["raw", "events"], metadata={"dagster/partition_row_count": rows, **metadata})
    yield dg.MaterializeResult(asset_key=["raw", "attribution"])


def _told(report: LoadReport) -> str:
    if not report.loaded:
        return f"landing day {report.landing_date}: nothing new in {len(report.unchanged)} files"
    return (
        f"landing day {report.landing_date}: {report.lines_read:,} lines of {len(report.loaded)} files:"
        f" {report.accepted:,} accepted, {report.rejected:,} rejected, {report.duplicates:,} duplicates,"
        f" {report.not_tracked:,} not tracked, {report.late:,} late"
    )


def _load_metadata(reports: list[LoadReport]) -> dict[str, int | list[str]]:
    counts = ("lines_read", "accepted", "rejected", "duplicates", "not_tracked", "late")
    totals: dict[str, int | list[str]] = {name: sum(asdict(report)[name] for report in reports) for name in counts}
    totals["files_loaded"] = sum(len(report.loaded) for report in reports)
    totals["files_unchanged"] = sum(len(report.unchanged) for report in reports)
    missing = [name for report in reports for name in report.missing]
    if missing:
        totals["files_missing"] = missing
    return totals


@dg.multi_asset(
    specs=[
        dg.AssetSpec(
            ["raw", table.name],
            description=f"Versions of the product's table {table.name}; a row is appended when its content changes.",
            group_name="raw",
            kinds={"python", "postgres"},
            owners=OWNERS,
            metadata={"dagster/table_name": f"warehouse.raw.{table.name}"},
        )
        for table in application_schema.TABLES
    ],
    backfill_policy=dg.BackfillPolicy.single_run(),
    retry_policy=RETRIES,
)
def raw_application_tables(
    context: dg.AssetExecutionContext, warehouse: WarehouseResource, writer: WriterResource, sources: SourcesResource
) -> Iterator[dg.MaterializeResult[None]]:
    """Read the product's own tables, in one snapshot, as they are now."""
    try:
        with warehouse.connect() as connection, connect_application(sources.application_url) as source:
            schema.create(connection)
            application_schema.create(connection)
            report = read_application(
                source, connection, observed_date=datetime.now(UTC).date(), hash_key=sources.hash_key
            )
            staleness.spread(connection)
    except (ApplicationSchemaError, ApplicationUnavailable) as error:
        raise dg.Failure(str(error), allow_retries=isinstance(error, ApplicationUnavailable)) from error
    context.log.info(f"{report.rows_read:,} rows read, {report.versions_appended:,} versions appended")
    for name, counts in report.counts.items():
        yield dg.MaterializeResult(
            asset_key=["raw", name],
            metadata={
                "dagster/row_count": counts.rows_read,
                "versions_appended": counts.versions_appended,
                "removed": counts.removed,
            },
        )
