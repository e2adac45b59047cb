"""`python -m orchestration entity-events TYPE ID`: an entity's stored events, for those who may log in as owner."""

import argparse
import json
import os
import sys

from ingestion.contract import ENTITY_TYPES
from warehouse.connection import Warehouse

ABOUT = "print an entity's stored events, newest first, one JSON object a line"


def parser(arguments: argparse.ArgumentParser) -> None:
    """Add what this command understands."""
    arguments.add_argument("entity_type", choices=ENTITY_TYPES, metavar="TYPE", help=", ".join(ENTITY_TYPES))
    arguments.add_argument("entity_id", metavar="ID")
    arguments.add_argument("--type", dest="event_type", help="only events of this type")
    arguments.add_argument("--limit", type=int, default=100, help="at most so many (100; up to 10,000)")


def run(warehouse: Warehouse, options: argparse.Namespace) -> int:
    """Do it; return the exit code."""
    from ingestion.raw_access.entity_lookup import MAX_EVENTS, entity_events

    with warehouse.connect() as connection:
        if not 1 <= options.limit <= MAX_EVENTS:
            sys.stderr.write(f"error: --limit is between 1 and {MAX_EVENTS}, not {options.limit}\n")
            return 1
        try:
            events = entity_events(
                connection,
                options.entity_type,
                options.entity_id,
                event_type=options.event_type,
                max_events=options.limit,
                hash_key=os.environ.get("WAREHOUSE_HASH_KEY", ""),
            )
        except ValueError as error:
            sys.stderr.write(f"error: {error}\n")
            return 1
    if not events:
        of_type = f" of type {options.event_type}" if options.event_type else ""
        sys.stderr.write(f"raw.events has no event{of_type} of {options.entity_type} {options.entity_id}\n")
    for event in events:
        known = {name: value for name, value in event.items() if value is not None and name != "canonical_hash"}
        sys.stdout.write(f"{json.dumps(known, default=str, ensure_ascii=False)}\n")
    return 0
