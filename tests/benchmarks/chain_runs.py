"""Runs of days as the product runs them, one day or a range, and what the product records of them.

They are processes of their own, with Dagster's records in Postgres: `dg launch` for a window in one run, command
backfill for a range in chunks. Seconds of steps are those of Dagster's event log, seconds of models those of dbt's own
log, publications those that listeners hear of.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final
from unittest.mock import patch

import dagster as dg

from ingestion.application.source import connect_application
from publishing import freshness
from sample_data.application_rows import Row
from sample_data.application_tables import write_application
from tests.benchmarks.benchmark_server import BenchmarkServer
from tests.benchmarks.process_costs import Cost, run_program
from tests.support.code_location import settings_of
from warehouse.connection import CHECKOUT
from warehouse.window import Window

# A step of the table, and the steps of the job that it is made of. Any other step of the job has a row of its own.
LOAD, RAW_CHECKS, DBT, OTHER_CHECKS, PUBLICATION = "load", "raw checks", "dbt", "other checks", "publication"
_STEPS: Final = {
    LOAD: ("raw_events", "raw_ad_spend", "raw_application_tables"),
    RAW_CHECKS: ("raw_events_checks",),
    DBT: ("dbt_models",),
    OTHER_CHECKS: ("build_checks",),
    PUBLICATION: ("published_marts",),
}
_LAST_LINES: Final = 60
# 12 of 48 OK created sql view model staging.stg_tracking__events ........ [CREATE VIEW in 0.11s]
_DBT_NODE: Final = re.compile(r"^(?P<number>\d+) of \d+ [A-Z]+ (?P<text>\S.*?) \.* ?\[.* in (?P<seconds>\d+\.\d+)s\]$")
_COLOUR: Final = re.compile(r"\x1b\[[0-9;]*m")
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass(frozen=True, slots=True)
class ChainRun:
    """The chain for a window, in one run or in several.

    Attributes:
        cost: Seconds, CPU and memory of the process, from its start to its end.
        runs: The number of runs of daily_refresh.
        start_seconds: Seconds until the first step began.
        steps: Seconds by step of the table.
        models: Seconds by dbt model and seed, added up over the invocations of dbt. Two are built at a time.
        test_seconds: Seconds of all dbt tests, likewise.
        invocations: How many times dbt was invoked.
        wal_bytes: What the server wrote ahead.
        publications: How many times the marts were published.
        first_publication_seconds: Seconds until the first of these.
        lines: Lines that were read from landing files.
    """

    cost: Cost
    runs: int
    start_seconds: float
    steps: Mapping[str, float]
    models: Mapping[str, float]
    test_seconds: float
    invocations: int
    wal_bytes: int
    publications: int
    first_publication_seconds: float
    lines: int

    @property
    def rest_seconds(self) -> float:
        """Return the seconds that no step accounts for: between the steps, and after them."""
        return self.cost.seconds - self.start_seconds - sum(self.steps.values())

    def share(self, *steps: str) -> float:
        """Return the share of these steps in the seconds of the run."""
        return sum(self.steps.get(step, 0) for step in steps) / self.cost.seconds


class Chain:
    """The warehouse of a benchmark's server, a landing folder that fills day by day, and the application beside it."""

    def __init__(self, server: BenchmarkServer, arriving: Path, start: date) -> None:
        self.server, self.warehouse = server, server.warehouse
        self._home = Path(self.warehouse.dagster_home)
        self._home.mkdir(exist_ok=True)
        shutil.copy(CHECKOUT / ".dagster" / "dagster.yaml", self._home)
        self._arriving, self._landing = arriving, self._home / "landing"
        shutil.rmtree(self._landing, ignore_errors=True)
        settings = settings_of(self.warehouse, self._landing) | {"WAREHOUSE_START_DATE": start.isoformat()}
        self.environment = {**os.environ, **settings, **self.warehouse.environment()}

    def write_application(self, tables: dict[str, list[Row]]) -> None:
        """Fill the application's database."""
        assert self.warehouse.application_url is not None
        with connect_application(self.warehouse.application_url) as connection:
            write_application(connection, tables)

    def run(self, window: Window) -> ChainRun:
        """Run daily_refresh once for the window, for which the files of its last day have just arrived.

        Raises SystemExit with the end of the log when it fails.
        """
        *_, last = window.days()
        command = [str(Path(sys.executable).with_name("dg")), "launch", "--job", "daily_refresh"]
        return self._measured(
            window, [*command, "--partition-range", f"{window.start}...{last}"], self._home / "run.log"
        )

    def backfill(self, window: Window) -> ChainRun:
        """Run the command backfill for the window, likewise."""
        command = [sys.executable, "-m", "orchestration", "backfill", f"{window.start}", f"{window.end}"]
        return self._measured(window, command, self._home / "backfill.log")

    def _measured(self, window: Window, command: Sequence[str], log: Path) -> ChainRun:
        """Run a command that writes its full log to this file, as such or by its output."""
        self._land(window.end)
        output = self._home / "run.log"
        with self.warehouse.connect(autocommit=True) as listener:
            listener.execute(f"listen {freshness.CHANNEL}")  # type: ignore[call-overload]
            wal_before, started = self.server.wal_bytes(), time.time()
            try:
                cost = run_program(
                    command, self.server.postmaster, environment=self.environment, folder=CHECKOUT, log=output
                )
            except subprocess.CalledProcessError as error:
                raise SystemExit(f"{_endings(log, output)}\nthe run of {window} failed: {error}") from error
            wal_bytes = self.server.wal_bytes() - wal_before
            publications = len(list(listener.notifies(timeout=1)))
        runs, steps, first_step, first_published = self._steps(started)
        models, test_seconds, invocations = _dbt_nodes(log.read_text(errors="replace"))
        return ChainRun(
            cost,
            runs,
            first_step - started,
            steps,
            models,
            test_seconds,
            invocations,
            wal_bytes,
            publications,
            first_published - started,
            self._lines(window),
        )

    def _land(self, end: date) -> None:
        """Let the files of all days before the end arrive. Those of the day after would be loaded, too."""
        for source in (*self._arriving.glob("events/dt=*/*"), *self._arriving.glob("ad_spend/*")):
            name = source.relative_to(self._arriving)
            [day] = _DAY.findall(str(name))
            if date.fromisoformat(day) < end and not (self._landing / name).exists():
                (self._landing / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, self._landing / name)

    def bytes_by_schema(self) -> dict[str, int]:
        """Return the bytes on disk of every schema with its indexes, the largest first."""
        with self.warehouse.connect() as connection:
            found = connection.execute(
                "select nspname, sum(pg_total_relation_size(pg_class.oid))::bigint as bytes"
                " from pg_class inner join pg_namespace on pg_namespace.oid = relnamespace"
                " where relkind = 'r' and nspname !~ '^pg_' and nspname <> 'information_schema'"
                " group by nspname order by bytes desc"
            ).fetchall()
        return {str(name): int(size) for name, size in found}

    def stored_events(self) -> int:
        """Return how many events raw holds."""
        with self.warehouse.connect() as connection:
            (events,) = connection.execute("select count(*) from raw.events").fetchone() or (0,)
        return int(events)

    def _lines(self, window: Window) -> int:
        """Return the lines of the landing days of a window."""
        with self.warehouse.connect() as connection:
            (lines,) = connection.execute(
                "select sum(lines_read) from ops.loads where landing_date >= %s and landing_date < %s",
                [window.start, window.end],
            ).fetchone() or (0,)
        return int(lines)

    def _steps(self, started: float) -> tuple[int, dict[str, float], float, float]:
        """Return the number of runs since then and their seconds by step of the table.

        And the time at which their first step began, and that at which their first publication ended.
        """
        names = {own: step for step, members in _STEPS.items() for own in members}
        seconds: dict[str, float] = {}
        with patch.dict(os.environ, self.environment), dg.DagsterInstance.from_config(str(self._home)) as instance:
            since = dg.RunsFilter(job_name="daily_refresh", created_after=datetime.fromtimestamp(started, UTC))
            runs = instance.get_runs(since)
            if failed := [run.run_id for run in runs if run.status is not dg.DagsterRunStatus.SUCCESS]:
                raise SystemExit(f"these runs did not succeed: {failed}")
            stats = [step for run in runs for step in instance.get_run_step_stats(run.run_id)]
        for step in sorted(stats, key=lambda step: step.start_time or 0):
            name = names.get(step.step_key, step.step_key)
            seconds[name] = seconds.get(name, 0) + (step.end_time or 0) - (step.start_time or 0)
        published = [step.end_time or 0 for step in stats if step.step_key in _STEPS[PUBLICATION]]
        return len(runs), seconds, min(step.start_time or 0 for step in stats), min(published)


def _endings(*logs: Path) -> str:
    """Return the last lines of logs, without Dagster's own events."""
    texts = (path.read_text(errors="replace") for path in dict.fromkeys(logs) if path.exists())
    lines = (text.splitlines() for text in texts)
    return "\n".join(line for shown in lines for line in shown[-_LAST_LINES:])


def _dbt_nodes(log: str) -> tuple[dict[str, float], float, int]:
    """Return the seconds by model in a log, the slowest first, those of tests, and how many times dbt was invoked."""
    seconds: Counter[str] = Counter()
    test_seconds, invocations = 0.0, 0
    for line in log.splitlines():
        found = _DBT_NODE.match(_COLOUR.sub("", line))
        if found is None:
            continue
        # Such as "created sql windowed model build.daily_metrics"; of a test there is its name alone.
        *kind, name = found["text"].split()
        if found["number"] == "1":
            invocations += 1
        if kind:
            seconds[name.rpartition(".")[2]] += float(found["seconds"])  # type: ignore[assignment]
        else:
            test_seconds += float(found["seconds"])
    return dict(seconds.most_common()), test_seconds, invocations
