"""Faults: what is wrong with the warehouse at a moment, and the bounds beyond which something is wrong."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum


class Kind(StrEnum):
    """Kinds of faults, as ops.alerts names them."""

    RUN_FAILED = "run_failed"
    DAY_REFUSED = "day_refused"
    DAY_NOT_PUBLISHED = "day_not_published"
    PLAN_WAITS = "plan_waits"
    REJECTED_LINES = "rejected_lines"
    LATE_EVENTS = "late_events"
    DISK_FULL = "disk_full"


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is wrong now, about which a person has to act.

    Attributes:
        kind: The kind of fault.
        subject: The day, disk or other thing that has the fault; an open fault of a kind is identified by it.
        cause: Names of checks, or of a job, separated by commas. A fault of the next day with the same cause is part of
            the alert before.
        since: The moment at which it became wrong, as far as it is known.
        detail: Counts, names of checks and files. It names no person.
        day: The day that it is about; None where it is about no day.
        run_id: The run whose log says more.
    """

    kind: Kind
    subject: str
    cause: str
    since: datetime
    detail: str = ""
    day: date | None = None
    run_id: str | None = None

    @property
    def key(self) -> tuple[str, str]:
        """Return the identity of the fault while it is open."""
        return self.kind, self.subject


@dataclass(frozen=True, slots=True)
class Bounds:
    """Settings: the time of day, UTC, by which yesterday is published, shares of lines, and gigabytes of a disk."""

    deadline: time = time(6)
    rejected_share: float = 0.05
    late_share: float = 0.2
    free_gigabytes: float = 5.0


def listed(days: Iterable[date]) -> str:
    """Return days as text, a stretch of consecutive days by its first and last."""
    stretches: list[tuple[date, date]] = []
    for day in sorted(set(days)):
        if stretches and (day - stretches[-1][1]).days == 1:
            stretches[-1] = (stretches[-1][0], day)
        else:
            stretches.append((day, day))
    return ", ".join(str(first) if first == last else f"{first} to {last}" for first, last in stretches)
