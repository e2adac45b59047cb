"""Days of the sample marketplace: fixed by the first `make demo`, kept by later ones, extended on request.

The manifest in the landing folder lists the written days, and `.env.local` has the warehouse's first day.
"""

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from warehouse.atomic_file import write_atomically
from warehouse.window import ONE_DAY, Window

DAYS: Final = 30
_START: Final = "WAREHOUSE_START_DATE"
_START_LINE: Final = re.compile(rf"^{_START}=(\d{{4}}-\d\d-\d\d)[ \t]*$", re.MULTILINE)


class DemoNotPossible(Exception):
    """A reason why the sample cannot be written here, in the message."""


@dataclass(frozen=True, slots=True)
class SampleState:
    """The state before the sample is written."""

    # The warehouse's first day, and whether it differs from the one of .env.example.
    start: date
    is_start_chosen: bool
    # None before the first sample.
    sample: Window | None
    # The last complete day, UTC.
    yesterday: date


def sample_days(known: SampleState, *, end: date | None = None, is_extended: bool = False) -> Window:
    """Return the days that the sample has to fill: up to `end`, or to yesterday when it is to be extended.

    Raises DemoNotPossible when these days cannot be filled.
    """
    last = end or (known.yesterday if is_extended else None)
    if known.sample is not None and (known.sample.start == known.start or not known.is_start_chosen):
        days = _extended(known.sample, last, must_reach=end is not None)
    elif known.is_start_chosen:
        if last is not None and last < known.start:
            raise DemoNotPossible(
                f"the sample cannot end on {last}, before the warehouse's first day, {_START}={known.start}"
            )
        days = Window(known.start, last + ONE_DAY if last else known.start + DAYS * ONE_DAY)
    else:
        until = (last or known.yesterday) + ONE_DAY
        days = Window(until - DAYS * ONE_DAY, until)
    if days.end > known.yesterday + ONE_DAY:
        raise DemoNotPossible(
            f"the sample would fill {days.start} to {days.end - ONE_DAY}, and its days must be over;"
            f" set an earlier {_START} in .env.local, or ask for an earlier end"
        )
    return days


def _extended(sample: Window, last: date | None, *, must_reach: bool) -> Window:
    if last is None or (last < sample.end - ONE_DAY and not must_reach):
        return sample
    if last < sample.end - ONE_DAY:
        raise DemoNotPossible(
            f"the sample here fills {sample.start} to {sample.end - ONE_DAY} and cannot end on {last}, which is earlier"
            "; to begin again run make stop, then delete .warehouse and landing"
        )
    return Window(sample.start, last + ONE_DAY)


def is_start_chosen(start: date, checkout: Path) -> bool:
    """Return whether the warehouse's first day differs from the one of .env.example."""
    proposed = _START_LINE.search((checkout / ".env.example").read_text())
    return proposed is None or date.fromisoformat(proposed[1]) != start


def save_start_date(start: date, file: Path) -> None:
    """Write the warehouse's first day to .env.local, in place of an earlier entry."""
    line = f"{_START}={start}"
    text = file.read_text() if file.exists() else ""
    text = _START_LINE.sub(line, text) if _START_LINE.search(text) else f"{text}{line}\n"
    # Readable for its owner only, since it may hold passwords.
    write_atomically(file, text.encode())
