"""One large day from its landing files to published marts: `make bench-day`.

Days of modest size are loaded and published first, as one range. Then the job daily_refresh runs for the large day, as
every night, and COPY stores the same raw rows in the same empty tables of the same server. Ends with one line of JSON:
the whole run as a multiple of COPY, the shares of publication and checks, the peak memory of the run with all of its
processes, and the bytes on disk of each event in the warehouse.
"""

import argparse
import json
import statistics
import sys
from datetime import date
from typing import Final

from tests.benchmarks.benchmark_server import benchmark_server
from tests.benchmarks.chain_report import copy_costs, say, say_run, say_sizes, shares_of, timed
from tests.benchmarks.chain_runs import Chain
from tests.benchmarks.landing_days import Days
from tests.benchmarks.process_costs import is_supported
from warehouse.window import ONE_DAY, Window

START: Final = date(2025, 1, 1)


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000, help="lines of the large day (default: %(default)s)")
    parser.add_argument("--history", type=int, default=30, help="days before it (default: %(default)s)")
    parser.add_argument("--history-events", type=int, default=20_000, help="lines of each (default: %(default)s)")
    parser.add_argument("--repeats", type=int, default=3, help="runs of COPY (default: %(default)s)")
    options = parser.parse_args()
    if not is_supported():
        parser.error("memory and CPU are measured by way of /proc, which only Linux has")

    days = Days(START, (options.history_events,) * options.history + (options.events,))
    landing = timed("writing the landing files", days.write_landing)
    history = Window(START, START + options.history * ONE_DAY)
    day = Window.day(history.end)
    with benchmark_server() as server, server.database():
        chain = Chain(server, landing, START)
        chain.write_application(days.application_tables())
        if options.history:
            timed(f"{options.history} days of {options.history_events:,} lines", lambda: chain.run(history))
        server.settle()
        run = chain.run(day)
        say(f"{day.start}: {run.lines:,} lines read, published {run.first_publication_seconds:.1f} s after the start")
        copies, copy_wal_bytes = copy_costs(server, day, options.repeats)
        say_run(run, copies, copy_wal_bytes)
        bytes_per_event = say_sizes(chain.bytes_by_schema(), chain.stored_events())
    result = {
        "day_vs_copy": round(run.cost.seconds / statistics.median(cost.seconds for cost in copies), 2),
        **shares_of(run),
        "peak_mb_client": round(run.cost.peak_mb),
        "bytes_per_event": round(bytes_per_event),
    }
    say(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
