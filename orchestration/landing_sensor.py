"""Which landing files have arrived and wait to be loaded, and which runs that calls for.

What has been loaded is in the ledger, so that a file is found by comparing it with the ledger, whoever loaded it. The
cursor of the sensor holds what cannot be known from there: how the files that wait looked before, which tells a file
that is complete from one that is still growing; and for which state of its folder a day's run was asked for.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

from ingestion.landing.files import LandingFile
from ingestion.landing.storage import StoredEntry
from publishing.stale_days import windows_of
from warehouse.window import NIGHTLY_HOUR, ONE_DAY, Window

# Looking at a landing day costs a listing of its folder, and of an object store's a request per thousand files. The
# latest days are looked at each time, and as many older ones in turn: a year's within two hours.
WATCHED_DAYS: Final = 8


@dataclass(frozen=True, slots=True)
class Request:
    """A run that was asked for: the state of the landing day for which it was, and the key of the run."""

    state: str
    run_key: str


@dataclass(frozen=True, slots=True)
class Memory:
    """What one look leaves for the next.

    Attributes:
        waiting: The version of each file that waits, as it was last seen.
        requests: By landing day, the last run that was asked for while its files still wait.
        older: The last of the older landing days that was looked at.
        compared: The files whose bytes were compared with the loaded ones: how both looked, and what came of it.
    """

    waiting: Mapping[str, str] = field(default_factory=dict)
    requests: Mapping[date, Request] = field(default_factory=dict)
    older: date | None = None
    compared: Mapping[str, str] = field(default_factory=dict)

    def dump(self) -> str:
        """Write it as the sensor's cursor."""
        requests = {str(day): [request.state, request.run_key] for day, request in sorted(self.requests.items())}
        content: dict[str, object] = {"waiting": dict(sorted(self.waiting.items())), "requests": requests}
        content["compared"] = dict(sorted(self.compared.items()))
        return json.dumps(content | ({"older": str(self.older)} if self.older else {}))

    def waiting_days(self) -> set[date]:
        """List the landing days of which a file waits, or a run was asked for."""
        return {_day_of(name) for name in self.waiting} | set(self.requests)

    @classmethod
    def parse(cls, cursor: str | None) -> "Memory":
        """Read a cursor. One of an earlier form, or a missing one, is an empty memory: files are looked at anew."""
        content = json.loads(cursor) if cursor else {}
        if "waiting" not in content:
            return cls()
        requests = {date.fromisoformat(day): Request(*request) for day, request in content["requests"].items()}
        older = content.get("older")
        return cls(
            content["waiting"], requests, date.fromisoformat(older) if older else None, content.get("compared", {})
        )


@dataclass(frozen=True, slots=True)
class Found:
    """What one look has found: files that are not loaded as they are, what else lies in the folder of a landing day,
    and the days that were looked at."""

    files: Sequence[LandingFile]
    others: Mapping[date, Sequence[StoredEntry]]
    days: frozenset[date]


@dataclass(frozen=True, slots=True)
class Arrivals:
    """What to do about the files that wait, and what to remember.

    `refresh` are landing days whose whole chain has to run, in as few windows as they fit in; `load` are days that are
    not over for the nightly run, and are only loaded. Each has a run key, which is another one for another state of
    files.
    """

    refresh: tuple[tuple[Window, str], ...]
    load: str | None
    memory: Memory


def watched(now: datetime, first_day: date) -> Window | None:
    """The landing days to look at; None before the warehouse's first day."""
    today = now.date()
    start = max(today - (WATCHED_DAYS - 1) * ONE_DAY, first_day)
    return Window(start, today + ONE_DAY) if start <= today else None


def older_days(days: Iterable[date], latest: Window, first_day: date, last_looked_at: date | None) -> list[date]:
    """The next of the older landing days to look at: going back, and from the first day on again from the latest."""
    older = sorted((day for day in days if first_day <= day < latest.start), reverse=True)
    rest = [day for day in older if last_looked_at is None or day < last_looked_at]
    return (rest or older)[:WATCHED_DAYS]


def decide(found: Found, before: Memory, now: datetime) -> Arrivals:
    """Decide what the files call for that are there and not loaded, as they are.

    A file is taken for complete when it is the same as at the last look. A landing day of which a file has changed
    since then waits as a whole, for its run would read that file too. A state of the folder that a run was asked for is
    not asked for again; any other is, also one from which only a foreign file is gone.
    """
    by_day: dict[date, list[LandingFile]] = {}
    for file in found.files:
        by_day.setdefault(file.landing_date, []).append(file)
    # Days that were not looked at this time stay as they were.
    waiting = {name: version for name, version in before.waiting.items() if _day_of(name) not in found.days}
    waiting |= {file.name: file.entry.version for file in found.files}
    requests = {day: request for day, request in before.requests.items() if day not in found.days}
    asked: dict[date, str] = {}
    for day, files in by_day.items():
        if day in before.requests:
            requests[day] = before.requests[day]
        seen = [file for file in files if file.name in before.waiting]
        ready = [file for file in seen if before.waiting[file.name] == file.entry.version]
        if not ready or len(ready) < len(seen):
            continue
        state = _digest(sorted(_looks(entry) for entry in [*(f.entry for f in ready), *found.others.get(day, ())]))
        if day not in requests or requests[day].state != state:
            asked[day] = state
    open_days = {day for day in asked if now < _nightly_run_of(day)}

    def key(days: Iterable[date]) -> str:
        return _digest(sorted(f"{day} {asked[day]}" for day in days))

    refresh = tuple(
        (window, f"landing {window} {key(window.days())}") for window in windows_of(asked.keys() - open_days)
    )
    load = f"load {key(open_days)}" if open_days else None
    requests |= {day: Request(asked[day], run_key) for window, run_key in refresh for day in window.days()}
    if load:
        requests |= {day: Request(asked[day], load) for day in open_days}
    return Arrivals(refresh, load, Memory(waiting, requests, before.older))


def _digest(parts: Sequence[object]) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def _looks(entry: StoredEntry) -> list[str]:
    return [entry.name, entry.version]


def _day_of(name: str) -> date:
    """The landing day of a file of this name: events/dt=YYYY-MM-DD/..."""
    return date.fromisoformat(name.split("/")[1].removeprefix("dt="))


def _nightly_run_of(day: date) -> datetime:
    return Window.day(day).ends_at + timedelta(hours=NIGHTLY_HOUR)
