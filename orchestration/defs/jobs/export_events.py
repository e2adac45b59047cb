"""Job that exports raw events to a file, without personal data."""

from enum import Enum
from pathlib import Path

import dagster as dg
from pydantic import Field

from ingestion.contract import ENTITY_TYPES
from ingestion.raw_access.export import export_events as write_events
from ingestion.raw_access.export_selection import ExportError, ExportSelection
from orchestration import retries
from orchestration.defs.resources import ExportsResource, SourcesResource, WarehouseResource


class FileFormat(Enum):
    """File formats; a launchpad offers the names."""

    csv = "csv"
    parquet = "parquet"


class ExportedEvents(dg.Config):
    """Selection of events by days, an entity, or both. An empty text counts as not given."""

    start: str = Field("", description="The first event day, YYYY-MM-DD; with end")
    end: str = Field("", description="The day after the last event day, YYYY-MM-DD; with start")
    entity_type: str = Field("", description=f"{', '.join(ENTITY_TYPES)}; with entity_id")
    entity_id: str = Field(
        "", description="The entity whose events are meant; with entity_type. No user: see export_subject"
    )
    event_type: str = Field("", description="Only events of this type: license_created")
    format: FileFormat = Field(FileFormat.csv, description="csv for spreadsheets, parquet for programs")

    def selection(self) -> ExportSelection:
        """Return the selection. Raises ExportError."""
        if self.entity_type == "user":
            raise ExportError(
                "Dagster keeps the configs of its runs, so that an id of a person has no place in one: `warehouse"
                " export-subject --actor ID --by NAME` exports all that is held about a person, and `warehouse"
                " entity-events user ID` prints events"
            )
        return ExportSelection.parse(self.start, self.end, self.entity_type, self.entity_id, self.event_type)


@dg.op(out=dg.Out(dg.Nothing), retry_policy=retries.RETRIES)
def export_events_op(
    context: dg.OpExecutionContext,
    config: ExportedEvents,
    warehouse: WarehouseResource,
    exports: ExportsResource,
    sources: SourcesResource,
) -> None:
    """Write the chosen events to a file in the folder of exports; its path is in the metadata of the run."""
    with retries.as_dagster_failure(ExportError), warehouse.connect() as connection:
        selection = config.selection()
        name = selection.file_name(config.format.value, run_id=context.run_id)
        report = write_events(
            connection, selection, Path(exports.folder, name), rules=sources.rules, log=context.log.info
        )
    context.add_output_metadata(
        {"file": dg.MetadataValue.path(report.path), "events": report.events, "bytes": report.file_bytes}
    )


@dg.job(description="Writes an entity's or a period's raw events to CSV or Parquet, personal data redacted.")
def export_events() -> None:
    export_events_op()
