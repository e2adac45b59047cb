"""Runs of the job daily_refresh as the product runs it, and what the product records of them.

A run is a process of its own, started by `dg launch`, with Dagster's records in Postgres. Seconds of steps are those of
Dagster's event log, seconds of models those of dbt's run_results.json, publications those that listeners hear of.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final
from unittest.mock import patch

import dagster as dg

from ingestion.application.source import connect_application
from publishing import freshness
from publishing.loaded_version import PROJECT_DIR
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
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass(frozen=True, slots=True)
class ChainRun:
    """One run of the chain.

    Attributes:
        cost: Seconds, CPU and memory of the process, from its start to its end.
        start_seconds: Seconds until the first step began.
        steps: Seconds by step of the table.
        models: Seconds by dbt model, seed and snapshot, added up over the invocations of dbt. Two are built at a time.
        test_seconds: Seconds of all dbt tests, likewise.
        invocations: How many times dbt was invoked.
        wal_bytes: What the server wrote ahead.
        publications: How many times the marts were published.
        first_publication_seconds: Seconds until the first of these.
        lines: Lines that were read from landing files.
    """

    cost: Cost
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
        """Run daily_refresh for the window, for which the files of its last day have just arrived.

        Raises SystemExit with the end of its log when it fails.
        """
        *_, last = window.days()
        self._land(last)
        command = [str(Path(sys.executable).with_name("dg")), "launch", "--job", "daily_refresh"]
        command += ["--partition-range", f"{window.start}...{last}"]
        log = self._home / "run.log"
        with self.warehouse.connect(autocommit=True) as listener:
            listener.execute(f"listen {freshness.CHANNEL}")  # type: ignore[call-overload]
            wal_before, started = self.server.wal_bytes(), time.time()
            try:
                cost = run_program(
                    command, self.server.postmaster, environment=self.environment, folder=CHECKOUT, log=log
                )
            except subprocess.CalledProcessError as error:
                ending = "\n".join(log.read_text(errors="replace").splitlines()[-_LAST_LINES:])
                raise SystemExit(f"{ending}\nthe run of {window} failed: {error}") from error
            wal_bytes = self.server.wal_bytes() - wal_before
            publications = len(list(listener.notifies(timeout=1)))
            first, lines = self._recorded(window)
        run_id, steps, first_step = self._steps()
        models, test_seconds, invocations = _dbt_results(run_id)
        return ChainRun(
            cost,
            first_step - started,
            steps,
            models,
            test_seconds,
            invocations,
            wal_bytes,
            publications,
            first - started,
            lines,
        )

    def _land(self, last: date) -> None:
        """Let the files of all days until the last arrive, no others: a run also loads what the next has."""
        for source in (*self._arriving.glob("events/dt=*/*"), *self._arriving.glob("ad_spend/*")):
            name = source.relative_to(self._arriving)
            [day] = _DAY.findall(str(name))
            if date.fromisoformat(day) <= last and not (self._landing / name).exists():
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

    def _recorded(self, window: Window) -> tuple[float, int]:
        """Return the time of the window's first publication, and the lines of its landing days."""
        with self.warehouse.connect() as connection:
            (first,) = connection.execute(
                "select extract(epoch from min(published_at)) from ops.published_days"
                " where event_date >= %s and event_date < %s",
                [window.start, window.end],
            ).fetchone() or (0,)
            (lines,) = connection.execute(
                "select sum(lines_read) from ops.loads where landing_date >= %s and landing_date < %s",
                [window.start, window.end],
            ).fetchone() or (0,)
        return float(first), int(lines)

    def _steps(self) -> tuple[str, dict[str, float], float]:
        """Return the latest run's id, its seconds by step of the table, and when its first step began."""
        names = {own: step for step, members in _STEPS.items() for own in members}
        with (
            patch.dict(os.environ, self.environment),
            dg.DagsterInstance.from_config(str(self._home)) as instance,
        ):
            [run] = instance.get_runs(limit=1)
            if run.status is not dg.DagsterRunStatus.SUCCESS:
                raise SystemExit(f"run {run.run_id} ended as {run.status}")
            stats = instance.get_run_step_stats(run.run_id)
        seconds: Counter[str] = Counter()
        for step in sorted(stats, key=lambda step: step.start_time or 0):
            seconds[names.get(step.step_key, step.step_key)] += (step.end_time or 0) - (step.start_time or 0)  # type: ignore[assignment]
        return run.run_id, dict(seconds), min(step.start_time or 0 for step in stats)


def _dbt_results(run_id: str) -> tuple[dict[str, float], float, int]:
    """Return the seconds by model of a run, the slowest first, those of its tests, and the number of invocations."""
    seconds: Counter[str] = Counter()
    test_seconds, invocations = 0.0, 0
    # The project that a run reads is a copy below the target folder of the checkout's.
    for file in (PROJECT_DIR / "target").rglob(f"dbt_models-{run_id[:7]}-*/run_results.json"):
        invocations += 1
        for result in json.loads(file.read_text())["results"]:
            kind, _, name = result["unique_id"].split(".")[:3]
            if kind == "test":
                test_seconds += result["execution_time"]
            else:
                seconds[name] += result["execution_time"]
    return dict(seconds.most_common()), test_seconds, invocations
