"""Planning of the landing sensor: pending files, and the runs that load them.

A file is pending when the ledger does not have its present content, however it was loaded. The cursor of the sensor
holds the versions of pending files at the last look, which show that a file is no longer growing. It also holds the
state of each folder for which a run was requested.
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
    """A requested run: the state of its landing day, and the key of the run."""

    state: str
    run_key: str


@dataclass(frozen=True, slots=True)
class SensorState:
    """State that one look leaves for the next.

    Attributes:
        waiting: The version of each file that waits, as it was last seen.
        requests: By landing day, the last run that was asked for while its files still wait.
        older: The last of the older landing days that was looked at.
        compared: By file, the two versions whose bytes were compared, and the result.
    """

    waiting: Mapping[str, str] = field(default_factory=dict)
    requests: Mapping[date, Request] = field(default_factory=dict)
    older: date | None = None
    compared: Mapping[str, str] = field(default_factory=dict)

    def dump(self) -> str:
        """Return the state as a cursor of the sensor."""
        requests = {str(day): [request.state, request.run_key] for day, request in sorted(self.requests.items())}
        content: dict[str, object] = {"waiting": dict(sorted(self.waiting.items())), "requests": requests}
        content["compared"] = dict(sorted(self.compared.items()))
        return json.dumps(content | ({"older": str(self.older)} if self.older else {}))

    def waiting_days(self) -> set[date]:
        """List the landing days of which a file waits, or a run was asked for."""
        return {_day_of(name) for name in self.waiting} | set(self.requests)

    @classmethod
    def parse(cls, cursor: str | None) -> "SensorState":
        """Parse a cursor. A cursor of an earlier form, or a missing one, gives an empty state."""
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
    """Result of one look: pending files, other entries by landing day, and the days that were looked at.

    `sealed` are files of sealed landing days that are not loaded: no run is asked for them.
    """

    files: Sequence[LandingFile]
    others: Mapping[date, Sequence[StoredEntry]]
    days: frozenset[date]
    sealed: Sequence[LandingFile] = ()


@dataclass(frozen=True, slots=True)
class RunPlan:
    """Runs for pending files, and the state for the next look.

    `refresh` are landing days whose whole chain has to run, in as few windows as they fit in; `load` are days that are
    not over for the nightly run, and are only loaded. Each has a run key, which is another one for another state of
    files.
    """

    refresh: tuple[tuple[Window, str], ...]
    load: str | None
    memory: SensorState


def watched_window(now: datetime, first_day: date) -> Window | None:
    """Return the landing days to look at; None before the warehouse's first day."""
    today = now.date()
    start = max(today - (WATCHED_DAYS - 1) * ONE_DAY, first_day)
    return Window(start, today + ONE_DAY) if start <= today else None


def older_days(days: Iterable[date], latest: Window, first_day: date, last_looked_at: date | None) -> list[date]:
    """Return the next older landing days to look at: backwards in time, then from the latest again."""
    older = sorted((day for day in days if first_day <= day < latest.start), reverse=True)
    rest = [day for day in older if last_looked_at is None or day < last_looked_at]
    return (rest or older)[:WATCHED_DAYS]


def plan_runs(found: Found, before: SensorState, now: datetime) -> RunPlan:
    """Plan the runs that load pending files.

    A file counts as complete when it has not changed since the last look. A landing day with a changed file waits as a
    whole, because its run would read that file too. Each state of a folder gets one run; any other state gets another
    run, also a state from which only a foreign file was removed.
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
        entries = [*(file.entry for file in ready), *found.others.get(day, ())]
        state = _digest(sorted([entry.name, entry.version] for entry in entries))
        if day not in requests or requests[day].state != state:
            asked[day] = state
    open_days = {day for day in asked if now < Window.day(day).ends_at + timedelta(hours=NIGHTLY_HOUR)}

    def key(days: Iterable[date]) -> str:
        return _digest(sorted(f"{day} {asked[day]}" for day in days))

    refresh = tuple(
        (window, f"landing {window} {key(window.days())}") for window in windows_of(asked.keys() - open_days)
    )
    load = f"load {key(open_days)}" if open_days else None
    requests |= {day: Request(asked[day], run_key) for window, run_key in refresh for day in window.days()}
    if load:
        requests |= {day: Request(asked[day], load) for day in open_days}
    return RunPlan(refresh, load, SensorState(waiting, requests, before.older))


def _digest(parts: Sequence[object]) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def _day_of(name: str) -> date:
    """Return the landing day of a file name: events/dt=YYYY-MM-DD/..."""
    return date.fromisoformat(name.split("/")[1].removeprefix("dt="))
