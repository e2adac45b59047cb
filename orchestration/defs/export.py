"""The job that hands raw events to people, as a file without personal data."""

from pathlib import Path

import dagster as dg
from pydantic import Field

from ingestion.export.exporting import export_events as write_events
from ingestion.export.selection import ExportError, Selection
from orchestration import failures
from orchestration.defs.resources import ExportsResource, WarehouseResource


class ExportedEvents(dg.Config):
    """Which events: days, an entity, or both; what is given must all hold."""

    start: str | None = Field(None, description="The first event day, YYYY-MM-DD; with end")
    end: str | None = Field(None, description="The day after the last event day, YYYY-MM-DD; with start")
    entity_type: str | None = Field(None, description="asset, project, license, user, ...; with entity_id")
    entity_id: str | None = Field(None, description="The entity whose events are meant; with entity_type")
    event_type: str | None = Field(None, description="Only events of this type: license_created")
    format: str = Field("csv", description="csv or parquet")

    def selection(self) -> Selection:
        """The events that are meant. Raises ExportError."""
        return Selection.parse(
            start=self.start,
            end=self.end,
            entity_type=self.entity_type,
            entity_id=self.entity_id,
            event_type=self.event_type,
        )


@dg.op(out=dg.Out(dg.Nothing), retry_policy=failures.RETRIES)
def events_exported(
    context: dg.OpExecutionContext, config: ExportedEvents, warehouse: WarehouseResource, exports: ExportsResource
) -> None:
    """Write the chosen events to a file in the folder of exports; its path is in the metadata of the run."""
    with failures.told(ExportError), warehouse.connect() as connection:
        selection = config.selection()
        name = selection.file_name(config.format, run_id=context.run_id)
        report = write_events(connection, selection, Path(exports.folder, name), log=context.log.info)
    context.add_output_metadata(
        {"file": dg.MetadataValue.path(report.path), "events": report.events, "bytes": report.file_bytes}
    )


@dg.job(description="Writes an entity's or a period's raw events to CSV or Parquet, personal data redacted.")
def export_events() -> None:
    events_exported()
