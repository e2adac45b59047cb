"""Which planted faults the checks of anomalies catch, and how often they warn of clean days: `make bench-anomalies`.

Real landing files of the generated marketplace are loaded and measured. Thresholds are set on seeds 1 to 5, so that the
report is on others. Prints a table by fault and size, then one line of JSON.
"""

import argparse
import json
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pandas as pd

from quality_checks.anomalies.measures import BASELINE_WEEKS, State
from tests.benchmarks.anomaly_history import AnomalyHistory
from tests.benchmarks.benchmark_server import BenchmarkServer, benchmark_server
from tests.benchmarks.planted_faults import FAULTS
from warehouse.window import ONE_DAY, Window

_SIZES: Final = ("small", "middle", "large")
_WARM_UP_DAYS: Final = 7 * BASELINE_WEEKS
_KEPT_DAYS: Final = max(fault.days for fault in FAULTS)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="*", default=[6, 7, 8, 9, 10], help="seeds with planted faults")
    parser.add_argument("--clean-seeds", type=int, nargs="*", default=[6, 7, 8], help="seeds of clean days")
    parser.add_argument("--days", type=int, default=180, help="clean days that are assessed (default: %(default)s)")
    parser.add_argument("--lines", type=int, default=10_800, help="lines of the first, quietest day")
    options = parser.parse_args()
    with benchmark_server() as server:
        caught = planted(server, options.seeds, options.lines)
        clean = [clean_days(server, seed, options.days, options.lines) for seed in options.clean_seeds]
    weeks = max(1, options.days * len(clean)) / 7
    caught_in_the_middle = sum(2 * found["middle"] > len(options.seeds) for found in caught.values())
    say(
        json.dumps(
            {
                "faults_caught_at_middle_size": caught_in_the_middle,
                "blocking_false_alarms": sum(days[State.EXTREME] for days in clean),
                "warnings_a_week": round(sum(days[State.UNUSUAL] for days in clean) / weeks, 2),
            }
        )
    )
    return 0


def planted(server: BenchmarkServer, seeds: list[int], lines: int) -> dict[str, Counter[str]]:
    """Plant every fault at every size in the last days of each seed; return by fault in how many seeds it is caught."""
    caught: dict[str, Counter[str]] = defaultdict(Counter)
    checks: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for seed in seeds:
        with history(server, seed, lines) as found:
            days = found.write(_WARM_UP_DAYS + _KEPT_DAYS, keep_last=_KEPT_DAYS)
            found.load_and_build(days)
            last = Window(days.end - _KEPT_DAYS * ONE_DAY, days.end)
            found.restore(last)
            found.load_and_build(last)
            usual = alarms(found.assess(last.days()))
            for fault in FAULTS:
                for size, name in zip(fault.sizes, _SIZES, strict=True):
                    window = found.plant(fault, size, days.end - ONE_DAY)
                    found.load_and_build(window)
                    # A warning that the clean day has too says nothing of the fault.
                    new = alarms(found.assess(window.days())) - usual
                    caught[fault.name][name] += bool(new)
                    checks[fault.name, name].update({measure for _, measure, _ in new})
                    found.restore(window)
                    found.load_and_build(window)
            say(f"seed {seed}: {sum(counts.total() for counts in caught.values())} faults caught so far")
    for fault in FAULTS:
        for size, name in zip(fault.sizes, _SIZES, strict=True):
            by = ", ".join(f"{measure} {count}" for measure, count in checks[fault.name, name].most_common(4))
            say(f"| {fault.name} | {size:g} | {caught[fault.name][name]} of {len(seeds)} | {by} |")
    return caught


def clean_days(server: BenchmarkServer, seed: int, days: int, lines: int) -> Counter[State]:
    """Assess clean days after the warm-up; return how many have an alarm, by the gravest."""
    with history(server, seed, lines) as found:
        window = found.write(_WARM_UP_DAYS + days)
        found.load_and_build(window)
        assessed = found.assess(Window(window.start + _WARM_UP_DAYS * ONE_DAY, window.end).days())
    unusual = assessed[assessed["state"].isin([State.UNUSUAL.value, State.EXTREME.value])]
    for row in unusual.itertuples():
        say(f"seed {seed}, {row.day}: {row.measure} of {row.event_source} {row.state}, score {row.score:.1f}")
    return Counter({state: int((unusual["state"] == state.value).sum()) for state in (State.UNUSUAL, State.EXTREME)})


def alarms(assessed: pd.DataFrame) -> set[tuple[object, str, str]]:
    """Return the alarms: day, measure and source."""
    unusual = assessed[assessed["state"].isin([State.UNUSUAL.value, State.EXTREME.value])]
    return {(row.day, str(row.measure), str(row.event_source)) for row in unusual.itertuples()}


@contextmanager
def history(server: BenchmarkServer, seed: int, lines: int) -> Iterator[AnomalyHistory]:
    with server.database(), tempfile.TemporaryDirectory() as folder:
        made = AnomalyHistory(server.warehouse, Path(folder), seed=seed, least_lines=lines)
        try:
            yield made
        finally:
            made.close()


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
