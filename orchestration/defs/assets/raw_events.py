"""The assets raw/events and raw/attribution: landing files loaded into schema raw."""

from collections.abc import Iterator
from functools import partial
from typing import Final

import dagster as dg
import psycopg
from pydantic import Field

from ingestion import attribution_migration, landing_measures, schema
from ingestion.application.events import ExtractedDay, extract_events, loaded_lines
from ingestion.application.source import ApplicationSchemaError, connect_application
from ingestion.application.watermarks import ApplicationRowsMissing
from ingestion.encryption.tokens import EncryptionSettingsError
from ingestion.landing.files import LandingError, UnloadableDay
from ingestion.loading.landing_day import LoadReport, load_window
from ingestion.subjects import register
from ingestion.subjects.erased_ids import ErasureKeyMissing
from ingestion.validation.notes import OUTCOMES, Counts
from orchestration import retries, row_counts
from orchestration.defs.resources import SourcesResource, WriterResource
from orchestration.load_summary import load_in_words
from orchestration.partitions import daily_step, raw_table
from orchestration.run_windows import UNLOADABLE_DAY, landing_days_after, unsealed_window_of
from publishing import stale_days
from warehouse.window import ONE_DAY, Window

_EVENT_SPECS: Final = (
    raw_table(
        ["raw", "events"],
        "One row per accepted event: the stored copy of an (event day, key). A partition is a landing"
        " day, and what the day after it has brought so far; rows are counted by the day on which they occurred.",
    ),
    raw_table(
        ["raw", "attribution"],
        "At most one row per event: the utm fields, referrer, landing page and click ids that it carried.",
    ),
)


class EventExtraction(dg.Config):
    """Options of one extraction of events from the application's database."""

    accept_removals: bool = Field(False, description="A day may have lost all of its events, or most of them")


@daily_step(specs=_EVENT_SPECS)
def raw_events(
    context: dg.AssetExecutionContext,
    config: EventExtraction,
    writer: WriterResource,
    sources: SourcesResource,
) -> Iterator[dg.MaterializeResult[None]]:
    """Load the landing days of the run, and the day after them so far: an event of 23:59:58 lands after midnight.

    A chunk of a backfill loads more days after its own, for events that arrived late.
    """
    after = landing_days_after(context)
    expected = (
        LandingError, EncryptionSettingsError, ApplicationSchemaError, ApplicationRowsMissing, ErasureKeyMissing,
        register.ErasuresMissing,
    )  # fmt: skip
    extracted: dict[str, int] = {}
    with retries.as_dagster_failure(*expected), writer.connect() as connection:
        schema.create(connection)
        window = unsealed_window_of(context, connection)
        register.require_all_erasures(connection, sources.landing_root)
        attribution_migration.fill_normalized(connection, sources.rules)
        if sources.event_source != "files":
            extracted = _extract(context, connection, sources, Window(window.start, window.end + ONE_DAY), config)
        load = partial(
            load_window,
            connection,
            **sources.load_options(lambda report: context.log.info(load_in_words(report)), context.log.info),
        )
        try:
            reports = load(window=window)
        except UnloadableDay as error:
            # A storage that is away says nothing about this one day.
            if retries.is_transient(error):
                raise
            metadata = {UNLOADABLE_DAY: str(error.landing_date)}
            raise dg.Failure(str(error), metadata=metadata, allow_retries=False) from error
        try:
            load(window=after)
        except LandingError as error:
            # Only events of the run's own days are needed. The run of the other day fails of its errors.
            context.log.warning(f"the landing days after {window} cannot all be loaded yet: {error}")
        marked = stale_days.mark_stale_days(connection)
        landing_measures.refresh(connection)
        for name in ("events", "attribution"):
            key = dg.AssetKey(["raw", name])
            rows = row_counts.rows_by_day(connection, "raw", name, "event_date", window)
            row_counts.add_row_counts(context, key, rows)
    for report in reports:
        if report.landing_date in window:
            context.add_asset_metadata(
                _load_metadata(report), asset_key=["raw", "events"], partition_key=report.landing_date.isoformat()
            )
    made_stale = extracted | {f"days_made_stale_by_{reason}": days for reason, days in marked.items()}
    yield dg.MaterializeResult(asset_key=["raw", "events"], metadata=made_stale)
    yield dg.MaterializeResult(asset_key=["raw", "attribution"])


def _extract(
    context: dg.AssetExecutionContext,
    connection: psycopg.Connection,
    sources: SourcesResource,
    window: Window,
    config: EventExtraction,
) -> dict[str, int]:
    """Write landing files of the application's events. Returns metadata of the run."""

    def log_day(day: ExtractedDay) -> None:
        said = "its file is written" if day.is_changed else "as before"
        context.log.info(f"landing day {day.landing_date}: {day.events:,} events in the application, {said}")

    with connect_application(sources.application_url) as source:
        report = extract_events(
            source,
            root=sources.landing_root,
            window=window,
            loaded=loaded_lines(connection, window),
            accept_removals=config.accept_removals,
            on_day=log_day,
        )
    if report.undated:
        context.log.warning(f"{report.undated:,} rows of the application's table events have no time and are not read")
    return {
        "application_events": sum(day.events for day in report.days),
        "application_events_with_several_attributions": sum(day.ambiguous for day in report.days),
        "application_events_without_a_time": report.undated,
    }


def _load_metadata(report: LoadReport) -> dict[str, int | list[str] | Counts]:
    """Return the counts of a landing day in this run, 0 for files that were loaded before."""
    counts = ("lines_read", "accepted", "rejected", "duplicates", "not_tracked", "erased", "late")
    metadata: dict[str, int | list[str] | Counts] = {name: getattr(report, name) for name in counts}
    metadata["files_loaded"] = len(report.loaded)
    metadata["files_unchanged"] = len(report.unchanged)
    for name in OUTCOMES:
        if fields := getattr(report, name):
            metadata[name] = fields
    if report.missing:
        metadata["files_missing"] = list(report.missing)
    return metadata
