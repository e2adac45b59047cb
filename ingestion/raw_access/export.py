"""From raw to a file."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg

from ingestion.event_rules import EventRules, default_rules
from ingestion.raw_access.export_files import writing
from ingestion.raw_access.export_query import read
from ingestion.raw_access.export_redaction import redacted
from ingestion.raw_access.export_selection import ExportError, Selection
from ingestion.redaction import redactor_for


@dataclass(frozen=True, slots=True)
class ExportReport:
    """Where the events are, how many, and the bytes of the file."""

    path: Path
    events: int
    file_bytes: int


def export_events(
    connection: psycopg.Connection,
    selection: Selection,
    path: Path,
    *,
    rules: EventRules | None = None,
    log: Callable[[str], None] = lambda _: None,
) -> ExportReport:
    """Write the selected events to the file as raw holds them at this moment, a few thousand in memory at a time.

    They are redacted by `rules`, by default the seeds'. An entity's id that is an address finds the events of its hash.

    Raises ExportError, and leaves no file, when there are none or the file cannot be written.
    """
    events = 0
    rules = rules or default_rules()
    redactor = redactor_for(rules)
    selection = selection.of_stored_id(rules.hash_key)
    with connection.transaction():
        connection.execute("set transaction isolation level repeatable read read only")
        with writing(path) as write:
            day = None
            for batch in read(connection, selection):
                write([redacted(event, redactor) for event in batch])
                events += len(batch)
                if batch[-1]["event_date"] != day:
                    day = batch[-1]["event_date"]
                    log(f"exporting {day}")
            if not events:
                raise ExportError(f"no stored event fits {_described(selection)}; nothing was written")
    return ExportReport(path, events, path.stat().st_size)


def _described(selection: Selection) -> str:
    entity = f"{selection.entity_type} {selection.entity_id}" if selection.entity_id else ""
    days = f"days {selection.days}" if selection.days else ""
    kind = f"type {selection.event_type}" if selection.event_type else ""
    return ", ".join(part for part in (entity, days, kind) if part)
