"""Job that validates rejected lines again, after a rule was relaxed or a mistake of the warehouse was corrected."""

import dagster as dg
from pydantic import Field

from ingestion import attribution_migration, landing_measures, schema
from ingestion.encryption.tokens import EncryptionSettingsError
from ingestion.landing.files import LandingError
from ingestion.loading import replay
from ingestion.loading.replay import ReplayError, ReplayReport, Selection
from orchestration import retries
from orchestration.defs.resources import SourcesResource, WriterResource
from publishing import stale_days
from warehouse.window import Window


class RejectedLines(dg.Config):
    """Selection of rejected lines by at least one of three conditions. Empty and 0 count as not given."""

    reason: str = Field("", description="How one of their reasons begins: `occurredAt:`, `props.title: not`")
    landing_start: str = Field("", description="The first landing day, YYYY-MM-DD; with landing_end")
    landing_end: str = Field("", description="The day after the last landing day, YYYY-MM-DD; with landing_start")
    load_id: int = Field(0, description="Their load, by its id in ops.loads")

    def selection(self) -> Selection:
        """Return the selection. Raises ValueError when nothing is given, or one end of the days only."""
        are_days_given = self.landing_start or self.landing_end
        days = Window.parse(self.landing_start or None, self.landing_end or None) if are_days_given else None
        return Selection(reason=self.reason or None, landing_days=days, load_id=self.load_id or None)


@dg.op(out=dg.Out(dg.Nothing), retry_policy=retries.RETRIES)
def replay_rejected_op(
    context: dg.OpExecutionContext,
    config: RejectedLines,
    writer: WriterResource,
    sources: SourcesResource,
) -> None:
    """Validate rejected lines by today's rules. Days that gain an event become stale, and the sensor runs them."""

    def log_load(report: ReplayReport) -> None:
        context.log.info(
            f"load {report.load_id}, {report.file}: of {report.lines_read:,} lines {report.usable:,} are usable now,"
            f" {report.still_rejected:,} are still rejected, {report.not_tracked:,} are not tracked"
        )

    expected = (LandingError, ReplayError, EncryptionSettingsError, ValueError)
    with retries.as_dagster_failure(*expected), writer.connect() as connection:
        schema.create(connection)
        attribution_migration.fill_normalized(connection, sources.rules)
        reports = replay.replay_rejected(
            connection,
            root=sources.landing_root,
            start_date=sources.first_day,
            selection=config.selection(),
            encryption=sources.encryption,
            rules=sources.rules,
            on_load=log_load,
        )
        stale_days.mark_stale_days(connection)
        landing_measures.refresh(connection)
    context.add_output_metadata(
        {
            "loads": len(reports),
            "lines_read": sum(report.lines_read for report in reports),
            "usable": sum(report.usable for report in reports),
            "refused": sum(report.still_rejected for report in reports),
            "not_tracked": sum(report.not_tracked for report in reports),
            "event_days": sorted({str(day) for report in reports for day in report.event_dates}),
        }
    )


@dg.job(description="Runs rejected lines, chosen by reason, landing days or load, through today's rules.")
def replay_rejected() -> None:
    replay_rejected_op()
