"""Extraction of events from the application's database: the rows of a day become a landing file of that day.

event_rows.py turns rows into lines. The file is loaded like any other, and depends on the rows alone. An unchanged day
gives equal bytes and is skipped by its checksum; a changed one replaces exactly its own events. A past day is read
again only when it is run again.
"""

import contextlib
import filecmp
import gzip
from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import IO, Final

import psycopg
from psycopg.pq import TransactionStatus

from ingestion.application.event_rows import EventRows, Line
from ingestion.application.source import begin_snapshot
from ingestion.application.watermarks import ApplicationRowsMissing, is_implausible
from ingestion.landing.files import LandingError, LandingRoot
from ingestion.landing.storage import LocalFolder
from warehouse.atomic_file import atomic_writer
from warehouse.window import Window

FILE_NAME: Final = "application-events.ndjson.gz"
_COMPRESSION: Final = 6
_NO_LINES: Final[Mapping[date, int]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class ExtractedDay:
    """The extraction of one landing day. `ambiguous` events have several attribution rows."""

    landing_date: date
    events: int
    ambiguous: int
    is_changed: bool


@dataclass(frozen=True, slots=True)
class ExtractionReport:
    """Result of an extraction. `undated` rows of the whole table have no landing day and are in no file."""

    days: tuple[ExtractedDay, ...]
    undated: int


def extract_events(
    source: psycopg.Connection,
    *,
    root: LandingRoot,
    window: Window,
    loaded: Mapping[date, int] = _NO_LINES,
    accept_removals: bool = False,
    on_day: Callable[[ExtractedDay], None] | None = None,
) -> ExtractionReport:
    """Write a landing file for every day of the window that has events in the application, or ever had.

    Reads one consistent snapshot, with one row in memory at a time. Each file is written atomically. `loaded` is the
    number of lines of these files in the warehouse, by day. With `accept_removals` a day may lose most of its events.

    Raises:
        ApplicationSchemaError: A required table or column is missing.
        ApplicationUnavailable: The application cannot be read.
        LandingError: The landing folder is not on this machine, or cannot be written.
        ValueError: The source is inside a transaction.
        ApplicationRowsMissing: A day has lost most of its events. Files of earlier days are written already.
    """
    if not isinstance(root.storage, LocalFolder):
        raise LandingError(
            "events of the application's database are written as landing files, and LANDING_URL is"
            f" {root.storage.location('')}, no folder of this machine: set it to one, or WAREHOUSE_EVENT_SOURCE=files"
        )
    if source.info.transaction_status != TransactionStatus.IDLE:
        raise ValueError("the connection to the application is inside a transaction: its snapshot may be an old one")
    days = []
    folder = root.storage.root / "events"
    with source.transaction():
        begin_snapshot(source)
        rows = EventRows.from_source(source)
        undated = rows.count_undated(source)
        with _landing_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
        for day in window.days():
            path = folder / f"dt={day}" / FILE_NAME
            lines = rows.lines(source, Window.day(day))
            with closing(lines):
                extracted = _extract_day(lines, path, day, loaded.get(day), accept_removals)
            if on_day:
                on_day(extracted)
            days.append(extracted)
    return ExtractionReport(tuple(days), undated)


def loaded_lines(warehouse: psycopg.Connection, window: Window) -> dict[date, int]:
    """Return the number of loaded lines of the application's events, by landing day with a file."""
    rows = warehouse.execute(
        "select landing_date, lines_read from ops.loads where replaced_by is null and file = any(%s)",
        [[f"events/dt={day}/{FILE_NAME}" for day in window.days()]],
    )
    return dict(rows.fetchall())


def _extract_day(
    lines: Generator[Line, None, None], path: Path, day: date, loaded: int | None, accept_removals: bool
) -> ExtractedDay:
    first = next(lines, None)
    if first is None and loaded is None and not path.exists():
        return ExtractedDay(day, 0, 0, is_changed=False)
    with _landing_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_writer(path, mode=0o666) as draft:
            events, ambiguous = _write(draft.file, first, lines)
            before = loaded or 0
            if not accept_removals and is_implausible(before=before, after=events, removed=before - events):
                raise ApplicationRowsMissing(
                    f"the application's table events has {events:,} rows of {day}, where the warehouse has {before:,}"
                    " of its lines; nothing was changed. If APP_DATABASE_URL points to the wrong database, or the"
                    " product deletes old events, run this day from the files that were written before"
                    " (WAREHOUSE_EVENT_SOURCE=files). If the events were really to go, say so once, in the config of a"
                    " run of the step raw_events: accept_removals: true"
                )
            draft.file.flush()
            is_changed = not path.exists() or not filecmp.cmp(draft.path, path, shallow=False)
            if not is_changed:
                draft.discard()
    return ExtractedDay(day, events, ambiguous, is_changed)


def _write(file: IO[bytes], first: Line | None, rest: Generator[Line, None, None]) -> tuple[int, int]:
    """Write lines. Returns their number, and the number of those with several attribution rows."""
    events = ambiguous = 0
    # The header has no name and no time, so that equal lines give equal bytes.
    with gzip.GzipFile(filename="", mode="wb", compresslevel=_COMPRESSION, fileobj=file, mtime=0) as packed:
        line = first
        while line is not None:
            packed.write(line.text + b"\n")
            events += 1
            ambiguous += line.attributions > 1
            line = next(rest, None)
    return events, ambiguous


@contextlib.contextmanager
def _landing_errors(path: Path) -> Generator[None, None, None]:
    """Convert errors of writing to LandingError."""
    try:
        yield
    except OSError as error:
        raise LandingError(
            f"{path} cannot be written ({error.strerror or error}): the account that runs Dagster needs the right to"
            " write the landing folder, and space on its disk"
        ) from error
