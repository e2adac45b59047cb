"""`python -m orchestration declare-silent-day DAY`: a day without events is one on which nothing happened."""

import argparse
import sys

from warehouse.connection import Warehouse
from warehouse.window import parse_day

ABOUT = "declare that nothing happened on a day, so that it may be published without events"


def parser(arguments: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    arguments.add_argument("day", type=parse_day, metavar="DAY", help="the event day in UTC, YYYY-MM-DD")
    arguments.add_argument("--reason", required=True, help="why the day has no events; kept with the day")
    arguments.add_argument("--name", required=True, help="who declares it; kept with the day")


def run(warehouse: Warehouse, options: argparse.Namespace) -> int:
    """Declare the day; return the exit code."""
    from ingestion import silent_days
    from warehouse.settings import MissingSetting, settings

    try:
        first_day = settings().warehouse_start_date
        with warehouse.connect() as connection:
            silent_days.declare(connection, options.day, reason=options.reason, name=options.name, first_day=first_day)
    except (silent_days.InvalidDeclaration, MissingSetting) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    sys.stderr.write(f"{options.day} is declared silent; run the job daily_refresh for it to publish it\n")
    return 0
