"""The tables of the benchmarks that run the whole chain: steps, models, costs and sizes, beside COPY of the rows."""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeVar

from tests.benchmarks.benchmark_server import BenchmarkServer, export_rows
from tests.benchmarks.chain_runs import DBT, OTHER_CHECKS, PUBLICATION, RAW_CHECKS, ChainRun
from tests.benchmarks.process_costs import Cost, run_measured
from warehouse.window import Window

_SHOWN_MODELS: Final = 12
_MEGABYTE: Final = 1024**2
_Result = TypeVar("_Result")


def copy_costs(server: BenchmarkServer, landed: Window, repeats: int) -> tuple[list[Cost], int]:
    """Copy what these landing days have brought into empty tables, so many times; the costs, and the WAL of one."""
    with tempfile.TemporaryDirectory(prefix="warehouse-bench-") as name:
        rows = Path(name) / "rows"
        export_rows(server.warehouse.url, rows, landed=landed, kinds=["csv"])
        costs = []
        for _ in range(repeats):
            with server.database_beside("copied") as url:
                before = server.wal_bytes()
                path = [sys.executable, "-m", "tests.benchmarks.ingest_paths", "copy_csv", url, name, str(rows)]
                costs.append(run_measured(path, server.postmaster))
                wal_bytes = server.wal_bytes() - before
        return costs, wal_bytes


def say_run(run: ChainRun, copies: Sequence[Cost], copy_wal_bytes: int) -> None:
    """Print the steps of a run with its slowest models, and what the run and COPY cost."""
    copy_seconds = statistics.median(cost.seconds for cost in copies)

    def say_step(name: str, seconds: float, more: str = "") -> None:
        say(f"{name:<36}{seconds:9.2f}{seconds / copy_seconds:10.2f}{more}")

    say(f"\n{'step':<36}{'s':>9}{'x COPY':>10}")
    say_step("start", run.start_seconds)
    for step, seconds in run.steps.items():
        say_step(step, seconds)
        if step == DBT:
            for name, model_seconds in list(run.models.items())[:_SHOWN_MODELS]:
                say_step(f"    {name}", model_seconds)
            others = list(run.models.values())[_SHOWN_MODELS:]
            say_step(f"    {len(others)} other models and seeds", sum(others), "   two are built at a time")
            say_step("    dbt tests", run.test_seconds, f"   dbt was invoked {run.invocations} times")
    say_step("rest", run.rest_seconds)
    say_step("whole run", run.cost.seconds)
    said = ", ".join(f"{cost.seconds:.2f}" for cost in copies)
    say_step("COPY csv", copy_seconds, f"   {said}")

    def say_cost(name: str, cost: Cost, wal_bytes: int) -> None:
        say(
            f"{name:<20}{cost.client_cpu:14.1f}{cost.server_cpu:14.1f}{cost.peak_mb:16.0f}{wal_bytes / _MEGABYTE:10.0f}"
        )

    say(f"\n{'':20}{'client CPU s':>14}{'server CPU s':>14}{'client peak MB':>16}{'WAL MB':>10}")
    say_cost("run", run.cost, run.wal_bytes)
    say_cost("COPY csv", copies[-1], copy_wal_bytes)
    if standstill := sum(cost.standstill_seconds for cost in (run.cost, *copies)):
        say(f"the machine stood still for {standstill:.0f} s of this, so that seconds mean nothing: measure again")


def say_sizes(sizes: Mapping[str, int], events: int) -> float:
    """Print the bytes an event of each schema; returns those of all."""
    say(f"\nbytes an event on disk, of {events:,} events in all:")
    for name, size in sizes.items():
        say(f"    {name:<16}{size / events:9.1f}")
    total = sum(sizes.values()) / events
    say(f"    {'all':<16}{total:9.1f}")
    return total


def shares_of(run: ChainRun) -> dict[str, float]:
    """Return the shares of a run's seconds that the line of JSON has."""
    return {
        "publish_share": round(run.share(PUBLICATION), 3),
        "checks_share": round(run.share(RAW_CHECKS, OTHER_CHECKS), 3),
    }


def timed(name: str, work: Callable[[], _Result]) -> _Result:
    """Do what prepares a measurement, and print how long it took."""
    started = time.perf_counter()
    result = work()
    say(f"{name}: {time.perf_counter() - started:.0f} s")
    return result


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
