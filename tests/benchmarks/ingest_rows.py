"""The prepared rows of the ingestion benchmark as the paths read them, and how a path tells what it took. Standard
library only: it is imported in environments that hold nothing of this project.
"""

import csv
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Final

TABLES: Final = ("events", "attribution", "duplicate_events", "rejected_events")


def column_types(rows: Path, table: str) -> dict[str, str]:
    """The columns of a raw table and their SQL types."""
    found: dict[str, dict[str, str]] = json.loads((rows / "columns.json").read_text())
    return found[table]


def event_days(rows: Path) -> list[date]:
    """The event days of the rows, each of which has a partition."""
    return [date.fromisoformat(day) for day in json.loads((rows / "days.json").read_text())]


def read_rows(rows: Path, table: str) -> Iterator[list[str | None]]:
    """The rows of a table as texts; no column of these tables holds an empty text."""
    csv.field_size_limit(sys.maxsize)
    with (rows / f"{table}.csv").open(newline="") as file:
        for row in csv.reader(file):
            yield [value or None for value in row]


def run_timed(path: Callable[[], None]) -> None:
    """Run a path and print its seconds, its CPU seconds and its peak memory as one line of JSON."""
    started, before = time.perf_counter(), os.times()
    path()
    seconds, after = time.perf_counter() - started, os.times()
    # Not ru_maxrss, which begins with what the parent had when it started this process.
    status = Path("/proc/self/status").read_text()
    peak_kb = int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))
    measured = {"seconds": seconds, "cpu": sum(after[:4]) - sum(before[:4]), "peak_kb": peak_kb}
    sys.stdout.write(f"\n{json.dumps(measured)}\n")
