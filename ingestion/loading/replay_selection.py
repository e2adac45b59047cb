"""Selection of rejected lines to replay, and the report on a replay."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import psycopg

from ingestion.landing import files as landing
from ingestion.landing import reading
from ingestion.landing.files import LandingFile, LandingRoot
from warehouse.window import Window

# Rate-limited events are left out: they are valid, and every load that changes their minute decides on them again.
MATCHES: Final = """
    rejected.candidate is null
    and (%(reason)s::text is null
        or exists (select from unnest(rejected.reasons) as reason where starts_with(reason, %(reason)s)))
"""


class ReplayError(Exception):
    """Rejected lines cannot be replayed. The text says which and what to do; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Selection of rejected lines by the beginning of a reason, by landing days, by load; what is given must all hold.

    Raises ValueError when nothing is given, which would read the rejected lines of years by mistake.
    """

    reason: str | None = None
    landing_days: Window | None = None
    load_id: int | None = None

    def __post_init__(self) -> None:
        if not self.reason and self.landing_days is None and self.load_id is None:
            raise ValueError(
                "say which rejected lines to replay: how their reason begins (such as 'occurredAt:'), their landing"
                " days, or their load"
            )


@dataclass(frozen=True, slots=True)
class ReplayReport:
    """Report on the replay of one load's lines; lines_read = usable + still_rejected + not_tracked.

    `usable` lines are events now: accepted, duplicates or rate-limited.
    """

    load_id: int
    file: str
    lines_read: int = 0
    usable: int = 0
    still_rejected: int = 0
    not_tracked: int = 0
    event_dates: tuple[date, ...] = ()


@dataclass(slots=True)
class LoadToReplay:
    """A loaded file with selected rejected lines."""

    load_id: int
    file: LandingFile
    checksum: str


def matching_loads(
    connection: psycopg.Connection, root: LandingRoot | Path, selection: Selection
) -> list[LoadToReplay]:
    """Return the loads with selected rejected lines. Raises ReplayError if a landing file is missing or has changed."""
    days = selection.landing_days
    rows = connection.execute(
        f"""
        select load_id, landing_date, file, checksum
        from ops.loads
        where replaced_by is null
            and (%(load_id)s::bigint is null or load_id = %(load_id)s)
            and (%(start)s::date is null or (landing_date >= %(start)s and landing_date < %(end)s))
            and exists (select from raw.rejected_events as rejected
                where rejected.load_id = loads.load_id and {MATCHES})
        order by landing_date, file
        """,
        {
            "load_id": selection.load_id,
            "start": days and days.start,
            "end": days and days.end,
            "reason": selection.reason,
        },
    ).fetchall()
    loads = []
    files: dict[date, dict[str, LandingFile]] = {}
    for load_id, landing_date, name, checksum in rows:
        if landing_date not in files:
            found = landing.landing_files(root, Window.day(landing_date))
            files[landing_date] = {file.name: file for file in found}
        file = files[landing_date].get(name)
        if file is None:
            raise ReplayError(
                f"the landing file {name} is missing, and its rejected lines with it: put it back, or choose"
                " other lines. Nothing was replayed"
            )
        if reading.checksum(file) != checksum:
            raise ReplayError(
                f"the landing file {file.location} is not the one that was loaded: load landing day {landing_date}"
                " again, which validates all its lines by today's rules. Nothing was replayed"
            )
        loads.append(LoadToReplay(load_id, file, checksum))
    return loads
