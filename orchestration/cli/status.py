"""The command `status`: where the warehouse is, whether it is up, and the state of its days."""

import os
from datetime import UTC, datetime

import click

from orchestration.cli.environment import say
from warehouse.connection import CHECKOUT, Warehouse
from warehouse.embedded.server import EmbeddedServer

NOT_RUNNING = 3


@click.command()
def status() -> int:
    """Show the warehouse's address, whether it is up, and which days are published, late, refused or stale, and why.

    Exit code 3: the embedded server is not running. It changes nothing and starts nothing. The page is that of asset
    ops/status in Dagster: it also has what was rejected, and which checks warn.
    """
    if url := os.environ.get("WAREHOUSE_URL", "").strip():
        given = Warehouse.from_url(url)
        given.connect().close()
        say(f"WAREHOUSE_URL names database {given.database} at {given.host}, port {given.port}, which answers")
        _print_page(given)
        return 0
    server = EmbeddedServer(CHECKOUT)
    found = server.status()
    if found.port is None:
        say("the embedded server was never started")
    else:
        state = "is running" if found.is_running else "is not running"
        say(f"the embedded server {state}; port {found.port}, data in {found.data}")
    if not found.is_running:
        return NOT_RUNNING
    _print_page(Warehouse.from_embedded(server))
    return 0


def _print_page(warehouse: Warehouse) -> None:
    from orchestration.marts import status_asset
    from warehouse.single_values import exist

    os.environ.update(warehouse.environment())
    with warehouse.connect(autocommit=True) as connection:
        if exist(connection, "ops.published_days", "marts.stale_days", "ops.loads"):
            click.echo(status_asset.read(connection, datetime.now(UTC)).page)
        else:
            say("nothing has been run yet: make demo, or make ui")
