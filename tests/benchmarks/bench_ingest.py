"""How fast landing files are loaded, beside other ways of storing the rows that come of them: `make bench-ingest`.

Every path runs as a process of its own against a fresh database of one durable server. The loader reads, validates,
deduplicates and limits; the others are given the rows that it stored and only store them, so the ratios are the least
that can be said for it. Ends with one line of JSON: rows a second as a ratio to each of the others (of the slower of
the two formats), and the peak memory of the loader with its workers in MB.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.benchmarks.benchmark_server import BenchmarkServer, benchmark_server, digest, export_rows
from tests.benchmarks.ingest_events import write_landing
from tests.benchmarks.process_costs import Cost, is_supported, run_measured

OWN_PATHS: Final = ("load plain", "load zstd")
OTHER_PATHS: Final = ("COPY csv", "COPY binary", "executemany", "pandas.to_sql", "dlt")
_RATIOS: Final = {
    "vs_copy_csv": "COPY csv",
    "vs_dlt": "dlt",
    "vs_pandas": "pandas.to_sql",
    "vs_executemany": "executemany",
}
_IN_THIS_ENVIRONMENT: Final = {
    "COPY csv": "copy_csv",
    "COPY binary": "copy_binary",
    "executemany": "executemany",
    "pandas.to_sql": "to_sql",
}


@dataclass(frozen=True, slots=True)
class Bench:
    """Shared state of the runs: the server, the folder of landing files and rows, and dlt's Python if there is one."""

    server: BenchmarkServer
    folder: Path
    dlt_python: str | None

    def command(self, path: str, url: str) -> list[str]:
        rows = self.folder / "rows"
        if path == "dlt":
            scratch = tempfile.mkdtemp(dir=self.folder)
            return [str(self.dlt_python), "-m", "tests.benchmarks.ingest_dlt", url, str(rows), scratch]
        name = _IN_THIS_ENVIRONMENT.get(path, "load")
        landing = self.folder / path.rpartition(" ")[2]
        return [sys.executable, "-m", "tests.benchmarks.ingest_paths", name, url, str(landing), str(rows)]

    def run(self, path: str) -> tuple[Cost, tuple[dict[str, int], str]]:
        """Load a fresh database by one path: what it cost, and what is there now."""
        with self.server.database() as url:
            cost = run_measured(self.command(path, url), self.server.postmaster)
            if not (self.folder / "rows").exists():
                export_rows(url, self.folder / "rows")
            return cost, digest(url, "bench_dlt" if path == "dlt" else "raw")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000, help="lines to load (default: %(default)s)")
    parser.add_argument("--repeats", type=int, default=1, help="runs of every path, in alternation (default: 1)")
    parser.add_argument("--only", nargs="+", choices=OTHER_PATHS, default=OTHER_PATHS, help="what to compare with")
    parser.add_argument("--dlt-python", type=Path, help="the Python of an environment that holds dlt")
    options = parser.parse_args()
    if not is_supported():
        parser.error("memory and CPU are measured by way of /proc, which only Linux has")

    paths = [*OWN_PATHS, *options.only]
    if "dlt" in paths and not has_dlt(options.dlt_python):
        say("dlt is not installed: skipped (make bench-ingest installs it from requirements-bench.lock)")
        paths.remove("dlt")
    with benchmark_server() as server, tempfile.TemporaryDirectory(prefix="warehouse-bench-") as name:
        folder = Path(name)
        for own in OWN_PATHS:
            kind = own.rpartition(" ")[2]
            size = write_landing(folder / kind, options.events, packed=kind == "zstd")
        say(f"{options.events:,} lines of {size // options.events} bytes; 1 % bad, 2 % duplicates")
        bench = Bench(server, folder, str(options.dlt_python))
        # Not counted: a server that has just started has yet to take its memory.
        bench.run(OWN_PATHS[0])
        costs = measure(bench.run, paths, options.repeats)
    report(costs, options.events)
    return 0


def has_dlt(python: Path | None) -> bool:
    """Return whether this Python exists and can import dlt."""
    if python is None or not python.exists():
        return False
    return subprocess.run([str(python), "-c", "import dlt"], check=False, capture_output=True).returncode == 0


def measure(
    run: Callable[[str], tuple[Cost, tuple[dict[str, int], str]]], paths: list[str], repeats: int
) -> dict[str, list[Cost]]:
    """Run every path in turn, so many times. Raises SystemExit when two of them did not store the same rows."""
    costs: dict[str, list[Cost]] = {path: [] for path in paths}
    expected = None
    for _ in range(repeats):
        for path in paths:
            cost, stored = run(path)
            expected = expected or stored
            if stored != expected:
                raise SystemExit(f"{path} stored {stored}, but {paths[0]} stored {expected}")
            costs[path].append(cost)
            say(f"{path:<14}{cost.seconds:9.2f} s   the same rows: {stored[1]}")
    if expected:
        say(", ".join(f"{count:,} {table}" for table, count in expected[0].items()))
    return costs


def report(costs: dict[str, list[Cost]], events: int) -> None:
    """Print a table of medians, and the line of JSON."""
    seconds = {path: statistics.median(cost.seconds for cost in runs) for path, runs in costs.items()}
    peak = {path: max(cost.peak_mb for cost in runs) for path, runs in costs.items()}
    limit = seconds.get("COPY csv")
    say(f"\n{'':14}{'s':>9}{'lines/s':>11}{'of COPY csv':>13}{'client CPU s':>14}{'server CPU s':>14}{'peak MB':>9}")
    for path, runs in costs.items():
        client = statistics.median(cost.client_cpu for cost in runs)
        server = statistics.median(cost.server_cpu for cost in runs)
        ratio = f"{limit / seconds[path]:13.2f}" if limit else f"{'':13}"
        rate = events / seconds[path]
        say(f"{path:<14}{seconds[path]:9.2f}{rate:11,.0f}{ratio}{client:14.2f}{server:14.2f}{peak[path]:9.0f}")
    own = max(seconds[path] for path in OWN_PATHS)
    ratios: dict[str, float | int | None] = {
        name: round(seconds[path] / own, 2) if path in seconds else None for name, path in _RATIOS.items()
    }
    say(json.dumps(ratios | {"peak_mb": round(max(peak[path] for path in OWN_PATHS))}))


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
