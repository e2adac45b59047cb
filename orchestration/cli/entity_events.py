"""The command `entity-events TYPE ID`: an entity's stored events, for people who may log in as owner."""

import json
import os

import click

from ingestion.contract import ENTITY_TYPES
from orchestration.cli.environment import say, warehouse_for_run


@click.command("entity-events")
@click.argument("entity_type", type=click.Choice(ENTITY_TYPES), metavar="TYPE")
@click.argument("entity_id", metavar="ID")
@click.option("--type", "event_type", help="only events of this type")
@click.option("--limit", default=100, show_default=True, help="at most this many events; up to 10,000")
def entity_events(entity_type: str, entity_id: str, event_type: str | None, limit: int) -> None:
    """Print an entity's stored events, newest first, one JSON object a line.

    TYPE is asset, project, license, user or another entity type of an event.
    """
    from ingestion.raw_access import entity_lookup

    with warehouse_for_run().connect() as connection:
        if not 1 <= limit <= entity_lookup.MAX_EVENTS:
            raise click.ClickException(f"--limit is between 1 and {entity_lookup.MAX_EVENTS}, not {limit}")
        try:
            events = entity_lookup.entity_events(
                connection,
                entity_type,
                entity_id,
                event_type=event_type,
                max_events=limit,
                hash_key=os.environ.get("WAREHOUSE_HASH_KEY", ""),
            )
        except ValueError as error:
            raise click.ClickException(str(error)) from error
    if not events:
        of_type = f" of type {event_type}" if event_type else ""
        say(f"raw.events has no event{of_type} of {entity_type} {entity_id}")
    for event in events:
        known = {name: value for name, value in event.items() if value is not None and name != "canonical_hash"}
        click.echo(json.dumps(known, default=str, ensure_ascii=False))
