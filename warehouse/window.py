"""Windows: half-open ranges of whole UTC days, the value that every step of the pipeline takes; and the calendar."""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

ONE_DAY: Final = timedelta(days=1)
# The hour, UTC, of the nightly run for the day before. Events of its last minutes have had time to land.
NIGHTLY_HOUR: Final = 2


class NotADay(ValueError, argparse.ArgumentTypeError):
    """A text that names no day. The command line shows the message as it is."""


def parse_day(text: str) -> date:
    """Return the day that a text names as YYYY-MM-DD. Raises NotADay."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise NotADay(f"give the day as YYYY-MM-DD, not as {text!r}") from None


def monday_of(day: date) -> date:
    """Return the first day of the ISO week that holds a day."""
    return day - timedelta(days=day.weekday())


def first_of_next_month(day: date) -> date:
    """Return the first day of the month after the one that holds a day."""
    return (day.replace(day=1) + timedelta(days=31)).replace(day=1)


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """Whole UTC days from `start` until before `end`.

    Both ends are required: there is no default window and no inclusive end. Raises ValueError when the
    window is empty or an end is missing, and TypeError when an end is a datetime instead of a date.
    """

    start: date
    end: date

    def __post_init__(self) -> None:
        for name, value in (("start", self.start), ("end", self.end)):
            if value is None:
                raise ValueError(
                    f"a window needs both ends, but its {name} is missing; give two dates, the end exclusive"
                )
            if isinstance(value, datetime) or not isinstance(value, date):
                raise TypeError(f"a window consists of whole days: {name} must be a date, not {value!r}")
        if self.end <= self.start:
            raise ValueError(
                f"a window is half-open and holds at least one day: end {self.end} is not after start {self.start}"
                f" (for the single day {self.start}, end is {self.start + ONE_DAY})"
            )

    @classmethod
    def day(cls, day: date) -> "Window":
        """Return the window of one day."""
        return cls(day, day + ONE_DAY)

    @classmethod
    def parse(cls, start: str | None, end: str | None) -> "Window":
        """Return the window between two ISO dates (YYYY-MM-DD), the end exclusive. Raises ValueError otherwise."""
        days: list[Any] = [parse_day(text) if text else None for text in (start, end)]
        return cls(*days)

    def days(self) -> Iterator[date]:
        """Yield every day of the window, oldest first."""
        for offset in range(len(self)):
            yield self.start + offset * ONE_DAY

    def chunks(self, days: int) -> Iterator["Window"]:
        """Yield the window in chunks of at most `days` days, oldest first."""
        if days < 1:
            raise ValueError(f"a chunk holds at least one day, not {days}")
        start = self.start
        while start < self.end:
            end = min(start + days * ONE_DAY, self.end)
            yield Window(start, end)
            start = end

    @property
    def starts_at(self) -> datetime:
        """The first instant of the window, UTC."""
        return datetime.combine(self.start, time.min, UTC)

    @property
    def ends_at(self) -> datetime:
        """The first instant after the window, UTC."""
        return datetime.combine(self.end, time.min, UTC)

    def __len__(self) -> int:
        return (self.end - self.start).days

    def __contains__(self, day: date) -> bool:
        return self.start <= day < self.end

    def __str__(self) -> str:
        return f"[{self.start}, {self.end})"
