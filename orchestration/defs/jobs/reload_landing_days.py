"""Job that loads landing days again whose loads followed other rules than today's."""

import dagster as dg
from pydantic import Field

from ingestion import attribution_migration, landing_measures, schema
from ingestion.encryption.tokens import EncryptionSettingsError
from ingestion.landing.files import LandingError
from ingestion.loading.landing_day import LoadReport
from ingestion.loading.reload import reload_window
from ingestion.subjects.erased_ids import ErasureKeyMissing
from orchestration import retries
from orchestration.defs.resources import SourcesResource, WriterResource
from orchestration.load_summary import load_in_words
from publishing import stale_days
from warehouse import retention
from warehouse.window import Window


class LandingDays(dg.Config):
    """Landing days, the end exclusive."""

    start: str = Field("", description="The first landing day, YYYY-MM-DD; required")
    end: str = Field("", description="The day after the last one, YYYY-MM-DD: for one day, the day after it; required")


@dg.op(out=dg.Out(dg.Nothing), retry_policy=retries.RETRIES)
def reload_landing_days_op(
    context: dg.OpExecutionContext, config: LandingDays, writer: WriterResource, sources: SourcesResource
) -> None:
    """Load files again whose rules differ from today's. Days whose rows differ become stale."""

    def log_day(report: LoadReport) -> None:
        context.log.info(load_in_words(report))
        for name in report.outdated:
            context.log.warning(f"{name} is no longer in the landing folder: its rows stay as older rules made them")

    expected = (LandingError, EncryptionSettingsError, ErasureKeyMissing, ValueError, retention.SealedDays)
    with retries.as_dagster_failure(*expected), writer.connect() as connection:
        window = Window.parse(config.start, config.end)
        schema.create(connection)
        unsealed = retention.require_unsealed(window, retention.sealed_before(connection))
        if unsealed != window:
            context.log.warning(retention.sealed_part_in_words(window, unsealed))
        attribution_migration.fill_normalized(connection, sources.rules)
        reports = reload_window(
            connection,
            window=window,
            **sources.load_options(log_day, context.log.info),
        )
        stale_days.mark_stale_days(connection)
        landing_measures.refresh(connection)
    if not reports:
        context.log.info(f"every load of the landing days {window} followed today's rules: nothing to do")
    counted = ("lines_read", "accepted", "rejected", "duplicates", "not_tracked", "erased")
    context.add_output_metadata(
        {
            "landing_days": [str(report.landing_date) for report in reports],
            "files_loaded": sum(len(report.loaded) for report in reports),
            "files_gone": sum(len(report.outdated) for report in reports),
            "files_gone_names": [name for report in reports for name in report.outdated],
            **{name: sum(getattr(report, name) for report in reports) for name in counted},
            "event_days": sorted({str(day) for report in reports for day in report.event_dates}),
        }
    )


@dg.job(
    description=(
        "Loads landing days again whose files were loaded under other rules (code, lists, settings), also when the"
        " files have not changed. Event days whose rows differ become stale, and a sensor runs them."
    )
)
def reload_landing_days() -> None:
    reload_landing_days_op()
