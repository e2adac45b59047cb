"""Which landing files have arrived and wait to be loaded, and which runs that calls for.

What has been loaded is in the ledger, so that a file is found by comparing it with the ledger, whoever loaded it. The
cursor holds only the files that wait: it tells a file that is complete from one that is still growing, and a file that
nobody has seen from one whose run was asked for already.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

import psycopg

from ingestion.landing.files import LandingFile
from ingestion.window import ONE_DAY, Window
from orchestration.partitions import NIGHTLY_HOUR
from orchestration.staleness import windows

# Looking at a landing day costs a listing of its folder, and of an object store's a request per thousand files. Files
# of older landing days change by somebody's hand, who can also start the day's run.
WATCHED_DAYS: Final = 8


@dataclass(frozen=True, slots=True)
class Waiting:
    """A file as it was when it was last looked at, and whether a run was asked for because of it."""

    version: str
    is_requested: bool = False


@dataclass(frozen=True, slots=True)
class Loaded:
    """A file as the ledger has it: its size in bytes, and when it was loaded, UTC."""

    size: int
    loaded_at: datetime


@dataclass(frozen=True, slots=True)
class Arrivals:
    """What to do about the files that wait, and what to remember of them.

    `refresh` are landing days whose whole chain has to run, in as few windows as they fit in; `load` are days that are
    not over for the nightly run, and are only loaded. Each has a key which is another one for another state of files.
    """

    refresh: tuple[tuple[Window, str], ...]
    load: str | None
    waiting: dict[str, Waiting]


def watched(now: datetime, first_day: date) -> Window | None:
    """The landing days to look at; None before the warehouse's first day."""
    today = now.date()
    start = max(today - (WATCHED_DAYS - 1) * ONE_DAY, first_day)
    return Window(start, today + ONE_DAY) if start <= today else None


def loaded_files(connection: psycopg.Connection, window: Window) -> dict[str, Loaded]:
    """The files of these landing days that are loaded, by name."""
    rows = connection.execute(
        "select file, file_bytes, loaded_at from ops.loads"
        " where landing_date >= %s and landing_date < %s and replaced_by is null",
        [window.start, window.end],
    )
    return {file: Loaded(size, loaded_at) for file, size, loaded_at in rows}


def decide(
    found: Iterable[LandingFile], loaded: Mapping[str, Loaded], remembered: Mapping[str, Waiting], now: datetime
) -> Arrivals:
    """What the files call for that are there and not loaded, as they are.

    A file is taken for complete when it is the same as at the last look. A landing day of which a file has changed
    since then waits as a whole, for its run would read that file too.
    """
    waiting: dict[str, Waiting] = {}
    ready: dict[date, list[str]] = {}
    growing: set[date] = set()
    for file in found:
        if _is_loaded(file, loaded.get(file.name)):
            continue
        before = remembered.get(file.name)
        waiting[file.name] = Waiting(file.entry.version)
        if before is None:
            continue
        if before.version != file.entry.version:
            growing.add(file.landing_date)
        elif before.is_requested:
            waiting[file.name] = before
        else:
            ready.setdefault(file.landing_date, []).append(file.name)
    days = ready.keys() - growing
    for day in days:
        for name in ready[day]:
            waiting[name] = Waiting(waiting[name].version, is_requested=True)

    def key(of: Iterable[date]) -> str:
        states = sorted((name, waiting[name].version) for day in of for name in ready[day])
        return hashlib.sha256(json.dumps(states).encode()).hexdigest()[:16]

    open_days = {day for day in days if now < _nightly_run_of(day)}
    return Arrivals(
        refresh=tuple((window, f"{window} {key(window.days())}") for window in windows(days - open_days)),
        load=key(open_days) if open_days else None,
        waiting=waiting,
    )


def dump(waiting: Mapping[str, Waiting]) -> str:
    """The cursor for these files."""
    return json.dumps({name: [file.version, file.is_requested] for name, file in sorted(waiting.items())})


def parse(cursor: str | None) -> dict[str, Waiting]:
    """The files of a cursor; none for a cursor that is missing."""
    return {name: Waiting(*state) for name, state in json.loads(cursor).items()} if cursor else {}


def _is_loaded(file: LandingFile, known: Loaded | None) -> bool:
    return known is not None and known.size == file.size and file.entry.modified_at <= known.loaded_at


def _nightly_run_of(day: date) -> datetime:
    return Window.day(day).ends_at + timedelta(hours=NIGHTLY_HOUR)
