"""The costs of a day of sessions, paths and credits: `make bench-attribution`.

Two questions. Does a one-day run cost the same after a year as after 40 days, once the lookback is full? And how many
times does a day of a million events take what one `group by (visitor, session)` over it takes, with the sort it needs,
on one worker? Times are those of the models in the database, as dbt tells them; dbt's own seconds, which depend on
neither, are left out. Ends with one line of JSON.
"""

import argparse
import json
import statistics
import sys
import time
from datetime import date
from pathlib import Path
from typing import Final

from attribution import schema as attribution_schema
from ingestion import schema
from ingestion.ad_spend import schema as ad_spend_schema
from ingestion.application import schema as application_schema
from tests.benchmarks.attribution_days import fill
from tests.benchmarks.benchmark_server import BenchmarkServer, benchmark_server
from tests.support import dbt_here
from warehouse.connection import Warehouse
from warehouse.window import ONE_DAY, Window

START: Final = date(2025, 1, 1)
# Everything between the events and the credits.
MODELS: Final = (
    "int_identity_observations",
    "int_identity_resolved",
    "int_events_sessionized",
    "int_sessions",
    "int_conversion_paths",
    "attribution_credits",
)
_CHUNK_DAYS: Final = 31

# What it finds is added up, so that nothing of it is left out and little is sent.
_GROUP_BY: Final = """
    select sum(events), sum(revenue_cents), min(started_at), max(ended_at)
    from (
        select coalesce('actor:' || actor_id, 'anonymous:' || anonymous_id) as visitor_id, session_id,
            count(*) as events, sum(revenue_cents) as revenue_cents,
            min(occurred_at) as started_at, max(occurred_at) as ended_at
        from raw.events
        where event_date = %s
        group by visitor_id, session_id
    ) as sessions
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=365, help="the long history (default: %(default)s)")
    parser.add_argument("--short-days", type=int, default=40, help="the short history (default: %(default)s)")
    parser.add_argument("--events", type=int, default=50_000, help="events a day of the history (default: %(default)s)")
    parser.add_argument("--day-events", type=int, default=1_000_000, help="events of the large day")
    parser.add_argument("--repeats", type=int, default=5, help="runs of each measured day (default: %(default)s)")
    options = parser.parse_args()
    with benchmark_server() as server:
        with server.database():
            short, long = days_after(server, options)
        with server.database():
            day = Bench(server.warehouse).large_day(options.day_events, options.repeats)
    ratios = {
        "day_at_365_vs_40": round(statistics.median(long) / statistics.median(short), 2),
        "day_vs_group_by": round(day, 2),
    }
    say(json.dumps(ratios))
    return 0


def days_after(server: BenchmarkServer, options: argparse.Namespace) -> tuple[list[float], list[float]]:
    """Seconds of the models for the day after the short and the long history, measured by turns: what else the machine
    does meets both alike."""
    bench = Bench(server.warehouse)
    lengths = {name: getattr(options, name) for name in ("short_days", "days")}
    for name, history in lengths.items():
        bench.make_history(history, options.events)
        if name == "short_days":
            server.keep_copy(name)
    seconds: dict[str, list[float]] = {name: [] for name in lengths}
    for _ in range(options.repeats):
        for name in reversed(lengths):
            seconds[name].append(bench.build(Window.day(START + lengths[name] * ONE_DAY)))
            if len(seconds[name]) == options.repeats:
                say(f"    the day after {lengths[name]} days: {', '.join(f'{value:.2f}' for value in seconds[name])} s")
                bench.say_models()
            server.exchange("short_days")
    server.drop_copy("short_days")
    return seconds["short_days"], seconds["days"]


class Bench:
    """A fresh warehouse that is filled day by day."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse = warehouse
        with self.warehouse.connect(autocommit=True) as connection:
            for part in (schema, application_schema, ad_spend_schema, attribution_schema):
                part.create(connection)
        self.built_days = 0
        self.seconds_of: dict[str, float] = {}
        dbt_here.run_dbt(warehouse, ["seed"])
        # Everything once, on a day without events: with --empty the views below would stay empty for good.
        everything = ["run", "--select", *(f"+{model}" for model in MODELS)]
        dbt_here.run_dbt(warehouse, [*everything, *window_arguments(Window.day(START - ONE_DAY))])

    def make_history(self, history: int, events: int) -> None:
        """Go on until there are so many built days, and the events of the day after them."""
        # Twice as many visitors as a day has sessions; most of them come back within the lookback.
        visitors = events // 2
        window = Window(START + self.built_days * ONE_DAY, START + history * ONE_DAY)
        started = time.perf_counter()
        with self.warehouse.connect(autocommit=True) as connection:
            # The day after the days so far was made with them.
            first = window.start + ONE_DAY if self.built_days else window.start
            fill(connection, Window(first, window.end + ONE_DAY), events=events, visitors=visitors)
            for chunk in window.chunks(_CHUNK_DAYS):
                self.build(chunk)
            connection.execute("vacuum analyze")
            (credited,) = connection.execute("select count(*) from build.attribution_credits").fetchone() or (0,)
            if not credited:
                raise SystemExit("nothing was credited: the models have not read the events that were made")
        self.built_days = history
        say(f"{history} days of {events:,} events: made in {time.perf_counter() - started:.0f} s")

    def large_day(self, events: int, repeats: int) -> float:
        """How many times the models take what the group by takes, on one day of so many events."""
        with self.warehouse.connect(autocommit=True) as connection:
            fill(connection, Window.day(START), events=events, visitors=events // 2)
            connection.execute("vacuum analyze")
        # By turns, too.
        grouped, built = [], []
        for _ in range(repeats):
            grouped.append(self.group_by())
            built.append(self.build(Window.day(START)))
        say(
            f"{events:,} events on one day: group by {statistics.median(grouped):.2f} s,"
            f" sessions to credits {statistics.median(built):.2f} s"
        )
        self.say_models()
        return statistics.median(built) / statistics.median(grouped)

    def say_models(self) -> None:
        say("    " + ", ".join(f"{model} {value:.2f}" for model, value in self.seconds_of.items()))

    def group_by(self) -> float:
        """Seconds of one sorted group by over the day."""
        with self.warehouse.connect() as connection, connection.cursor() as cursor:
            cursor.execute("set local max_parallel_workers_per_gather = 0")
            cursor.execute("set local enable_hashagg = off")
            # As the models have it.
            cursor.execute("set local work_mem = '256MB'")
            started = time.perf_counter()
            cursor.execute(_GROUP_BY, [START], prepare=False)
            return time.perf_counter() - started

    def build(self, window: Window) -> float:
        """Build the window; seconds that the models took in the database."""
        options = [*window_arguments(window), "--select", *MODELS, "--threads", "1", "--write-json"]
        dbt_here.run_dbt(self.warehouse, ["run", *options])
        results = json.loads((Path(dbt_here.target_folder()) / "run_results.json").read_text())["results"]
        if any(result["status"] != "success" for result in results):
            raise SystemExit(f"dbt did not build {window}")
        for result in results:
            name = result["unique_id"].rpartition(".")[2]
            self.seconds_of[name] = result["execution_time"]
        return sum(result["execution_time"] for result in results)


def window_arguments(window: Window) -> list[str]:
    """The command line options that give dbt a window."""
    return ["--event-time-start", window.start.isoformat(), "--event-time-end", window.end.isoformat()]


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
