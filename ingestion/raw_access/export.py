"""Export of selected raw events to a file."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg

from ingestion.raw_access.export_files import open_writer
from ingestion.raw_access.export_query import read_batches
from ingestion.raw_access.export_redaction import redact_event
from ingestion.raw_access.export_selection import ExportError, ExportSelection
from ingestion.redaction import redactor_for
from ingestion.validation_lists import EventRules, default_rules


@dataclass(frozen=True, slots=True)
class ExportReport:
    """The file of an export, its number of events and its size."""

    path: Path
    events: int
    file_bytes: int


def export_events(
    connection: psycopg.Connection,
    selection: ExportSelection,
    path: Path,
    *,
    rules: EventRules | None = None,
    log: Callable[[str], None] = lambda _: None,
) -> ExportReport:
    """Write the selected events of one snapshot to a file, with a few thousand in memory at a time.

    Events are redacted by `rules`, by default the seeds'. An entity id that is an e-mail address is searched by its
    hash. Raises ExportError, and leaves no file, when no event is selected or the file cannot be written.
    """
    events = 0
    rules = rules or default_rules()
    redactor = redactor_for(rules)
    selection = selection.with_hashed_id(rules.hash_key)
    with connection.transaction():
        connection.execute("set transaction isolation level repeatable read read only")
        with open_writer(path) as write:
            day = None
            for batch in read_batches(connection, selection):
                write([redact_event(event, redactor) for event in batch])
                events += len(batch)
                if batch[-1]["event_date"] != day:
                    day = batch[-1]["event_date"]
                    log(f"exporting {day}")
            if not events:
                raise ExportError(f"no event matches {_describe(selection)}; nothing was written")
    return ExportReport(path, events, path.stat().st_size)


def _describe(selection: ExportSelection) -> str:
    entity = f"{selection.entity_type} {selection.entity_id}" if selection.entity_id else ""
    days = f"days {selection.days}" if selection.days else ""
    kind = f"type {selection.event_type}" if selection.event_type else ""
    return ", ".join(part for part in (entity, days, kind) if part)
