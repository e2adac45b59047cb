"""Writes the sample marketplace: `python -m sample_data --landing DIR --app-url URL --days 30`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ingestion.application.source import ApplicationUnavailable, connect_application
from sample_data import DEFAULT_EVENTS_PER_DAY, DEFAULT_SEED, DEFAULT_START, Marketplace
from sample_data.application_tables import write_application
from sample_data.landing_files import write_landing_files
from warehouse.window import parse_day


def main(arguments: Sequence[str] | None = None) -> int:
    """Write what the arguments name and say so line by line; 1 when the database cannot be reached."""
    parser = argparse.ArgumentParser(prog="python -m sample_data", description="Write the sample marketplace.")
    parser.add_argument("--landing", type=Path, help="folder of landing files; without it none are written")
    parser.add_argument("--app-url", help="postgresql:// URL of the application's database, which must exist")
    parser.add_argument("--start", type=parse_day, default=DEFAULT_START, help="first day, %(default)s")
    parser.add_argument("--days", type=int, default=30, help="number of days, %(default)s")
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED, help="another seed, another marketplace")
    parser.add_argument(
        "--events-per-day", type=int, default=DEFAULT_EVENTS_PER_DAY, help="lines of the quietest day, %(default)s"
    )
    options = parser.parse_args(arguments)
    try:
        marketplace = Marketplace(options.seed, options.start, options.days, options.events_per_day)
    except ValueError as error:
        parser.error(str(error))
    if options.landing is None and options.app_url is None:
        parser.error("nothing to write: give --landing, --app-url, or both")
    if options.app_url:
        try:
            _write_application(marketplace, options.app_url)
        except ApplicationUnavailable as error:
            sys.stderr.write(f"{error}\n")
            return 1
    if options.landing:
        write_landing_files(marketplace, options.landing, _say)
    return 0


def _write_application(marketplace: Marketplace, url: str) -> None:
    with connect_application(url) as connection:
        tables = marketplace.application_tables()
        differed = write_application(connection, tables)
    rows = sum(map(len, tables.values()))
    _say(f"the application's database holds {rows:,} rows in {len(tables)} tables; {differed:,} of them were written")


def _say(message: str) -> None:
    sys.stdout.write(f"{message}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
