"""Many days from their landing files to published marts in one run: `make bench-range`.

Command backfill runs a range, which it publishes chunk by chunk, and COPY stores the same raw rows in the same empty
tables of the same server. Then the last days run once more, one by one as every night, in a second warehouse with a
month before them. Ends with one line of JSON: the whole command as a multiple of COPY, the shares of publication and
checks, the share of its seconds until the first publication, the number of publications, the peak memory with all
processes, and the bytes on disk of each event in the warehouse.
"""

import argparse
import json
import statistics
import sys
from typing import Final

from tests.benchmarks.bench_day import START
from tests.benchmarks.benchmark_server import benchmark_server
from tests.benchmarks.chain_report import copy_costs, say, say_run, say_sizes, shares_of, timed
from tests.benchmarks.chain_runs import Chain
from tests.benchmarks.landing_days import Days
from tests.benchmarks.process_costs import is_supported
from warehouse.window import ONE_DAY, Window

# The lookback of paths and funnels is full by then.
_MONTH_DAYS: Final = 30


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=90, help="days of the range (default: %(default)s)")
    parser.add_argument("--events", type=int, default=50_000, help="lines of each (default: %(default)s)")
    parser.add_argument("--nights", type=int, default=5, help="last days that run one by one, 0 for none (default: 5)")
    parser.add_argument("--repeats", type=int, default=1, help="runs of COPY (default: %(default)s)")
    options = parser.parse_args()
    if not is_supported():
        parser.error("memory and CPU are measured by way of /proc, which only Linux has")
    if not 0 <= options.nights < options.days:
        parser.error("the nights are some of the days")

    days = Days(START, (options.events,) * options.days)
    landing = timed("writing the landing files", days.write_landing)
    with benchmark_server() as server:
        with server.database():
            chain = Chain(server, landing, START)
            chain.write_application(days.application_tables())
            server.settle()
            run = chain.backfill(days.window)
            copies, copy_wal_bytes = copy_costs(server, days.window, options.repeats)
            say_run(run, copies, copy_wal_bytes)
            bytes_per_event = say_sizes(chain.bytes_by_schema(), chain.stored_events())
        copy_seconds = statistics.median(cost.seconds for cost in copies)
        say(
            f"\n{run.lines:,} lines of {options.days} days in {run.runs} runs:"
            f" {run.cost.seconds / copy_seconds:.2f} x COPY, {run.lines / run.cost.seconds:,.0f} lines/s;"
            f" publications: {run.publications}, the first {run.first_publication_seconds:.0f} s after the start"
        )
        if options.nights:
            nights(Chain(server, landing, START), days.window, options.nights, copy_seconds / run.lines)
    result = {
        "range_vs_copy": round(run.cost.seconds / copy_seconds, 2),
        **shares_of(run),
        "first_publication_share": round(run.first_publication_seconds / run.cost.seconds, 3),
        "publications": run.publications,
        "peak_mb_client": round(run.cost.peak_mb),
        "bytes_per_event": round(bytes_per_event),
    }
    say(json.dumps(result))
    return 0


def nights(chain: Chain, window: Window, count: int, copy_seconds_a_line: float) -> None:
    """Run the last days of the window one by one in a fresh warehouse, and print what each of them takes."""
    first = window.end - count * ONE_DAY
    history = Window(max(window.start, first - _MONTH_DAYS * ONE_DAY), first)
    with chain.server.database():
        timed(f"\na second warehouse with the {len(history)} days before the last {count}", lambda: chain.run(history))
        chain.server.settle()
        runs = [chain.run(Window.day(day)) for day in Window(first, window.end).days()]
    lines = sum(run.lines for run in runs)
    seconds = [run.cost.seconds for run in runs]
    say(
        f"{count} of these days as daily runs: {', '.join(f'{value:.1f}' for value in seconds)} s;"
        f" {sum(seconds) / (lines * copy_seconds_a_line):.2f} x COPY, {lines / sum(seconds):,.0f} lines/s"
    )
    steps = {step: statistics.median(run.steps.get(step, 0) for run in runs) for step in runs[0].steps}
    medians = {"start": statistics.median(run.start_seconds for run in runs), **steps}
    say("    medians: " + ", ".join(f"{step} {value:.1f}" for step, value in medians.items()) + " s")


if __name__ == "__main__":
    sys.exit(main())
