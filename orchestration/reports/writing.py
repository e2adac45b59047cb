"""The report as a file: written on demand and by each publication, with what is wrong now in the doctor's words."""

from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import psycopg

from orchestration.alerts import sources
from orchestration.doctor import state
from orchestration.doctor.finding import Finding, Level, examined
from orchestration.reports.place import default_url
from reporting.pages.blocks import Message
from reporting.pages.page import write_report
from warehouse.connection import Warehouse
from warehouse.settings import settings


def write(warehouse: Warehouse, path: Path, creator_id: str | None = None) -> None:
    """Write the report as of now. Raises CreatorNotFound, OSError and psycopg.Error."""
    now = datetime.now(UTC)
    with warehouse.connect(autocommit=True) as connection:
        faults = [_message(finding) for finding in _faults(connection, now) if finding.level is not Level.OK]
        currency = settings().warehouse_bi_currency
        write_report(path, connection, now=now, creator_id=creator_id, faults=faults, currency=currency)


def write_after_publication(
    context: dg.OpExecutionContext | dg.AssetExecutionContext, warehouse: Warehouse, path: Path
) -> dict[str, object]:
    """Write the report, and return metadata that link it. What fails is a warning in the run's log."""
    try:
        write(warehouse, path)
    # The days are published, whatever is wrong with the page.
    except Exception as error:  # noqa: BLE001
        text = " ".join(str(error).split()) or type(error).__name__
        context.log.warning(f"the days are published, but the report was not written: {text}. Try: warehouse report")
        return {}
    return {
        "report": dg.MetadataValue.url(default_url()),
        "report_file": dg.MetadataValue.path(path),
    }


def _faults(connection: psycopg.Connection, now: datetime) -> list[Finding]:
    return examined("faults", lambda: state.open_faults(sources.faults_of_state(connection, now)))


def _message(finding: Finding) -> Message:
    return Message(finding.level.value, f"{finding.subject}: {finding.text}", finding.advice)
