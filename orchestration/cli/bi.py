"""The commands `bi serve|add-login|remove-login|list-logins|bundle`: dashboards in Apache Superset."""

import os
import secrets
import socket
import sys
from pathlib import Path
from typing import Any, Final

import click

from orchestration.cli import dashboard_settings
from orchestration.cli.dashboard_server import HOST, DashboardServer, DashboardServerError
from orchestration.cli.environment import provisioned_warehouse, say
from warehouse.roles import logins
from warehouse.roles.logins import Login
from warehouse.roles.readers import AUDIENCES

DEFAULT_PORT: Final = 8088


@click.group()
@click.option(
    "--python",
    type=click.Path(path_type=Path),
    default=dashboard_settings.PYTHON,
    help="the Python of Superset's environment, by default the one that make bi installs",
)
@click.pass_context
def bi(context: click.Context, python: Path) -> None:
    """Run the dashboards, and add, remove or list the logins of people."""
    context.obj = python


def _server(python: Path) -> DashboardServer:
    if not python.exists():
        raise DashboardServerError(f"{python} is missing: Superset is not installed yet; make bi installs it")
    return DashboardServer(dashboard_settings.folder_of(), python)


@bi.command()
@click.pass_obj
def serve(python: Path) -> int:
    """Set the dashboards up and run their server, until Ctrl-C or stop."""
    server = _server(python)
    warehouse = provisioned_warehouse()
    dashboard_settings.assert_published(warehouse)
    settings = dashboard_settings.settings_for(warehouse, server.folder)
    port = _free_port()

    def ready(address: str) -> None:
        click.echo(f"dashboards  {address}/dashboard/list/")
        click.echo("user        admin")
        click.echo(f"password    {_password_or_place(settings.admin_password, server.folder)}")

    return server.run(settings, port, say=say, ready=ready)


@bi.command(hidden=True)
def check() -> None:
    """Fail where nothing is published or the port is taken, before Superset is installed."""
    dashboard_settings.assert_published(provisioned_warehouse())
    _free_port()


def _password_or_place(password: str, folder: Path) -> str:
    """Return the password for a terminal. The output of a service is kept in a journal, so it gets the place."""
    if os.environ.get("WAREHOUSE_BI_ADMIN_PASSWORD"):
        return "is in WAREHOUSE_BI_ADMIN_PASSWORD"
    return password if sys.stdout.isatty() else f"is admin_password in {folder / 'secrets.json'}"


def _port() -> int:
    given = os.environ.get("WAREHOUSE_BI_PORT", "").strip()
    try:
        port = int(given or DEFAULT_PORT)
    except ValueError:
        port = 0
    if not 0 < port < 65_536:
        raise DashboardServerError(f"WAREHOUSE_BI_PORT is {given!r}, which is no port: a number from 1 to 65535")
    return port


def _free_port() -> int:
    """Return the port of the dashboards. Raises DashboardServerError where another program has it."""
    port = _port()
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise DashboardServerError(
                f"port {port} cannot be used ({error.strerror}); make stop ends dashboards that run already, and"
                " WAREHOUSE_BI_PORT names another port"
            ) from None
    return port


@bi.command("add-login")
@click.argument("name")
@click.option("--creator", metavar="ID", help="the creator whose rows the login sees")
@click.option("--brand", metavar="ID", help="the brand whose rows the login sees")
@click.option("--analyst", is_flag=True, help="a login of the team, which sees every row and may write SQL")
@click.pass_obj
def add_login(python: Path, name: str, creator: str | None, brand: str | None, analyst: bool) -> None:
    """Create login NAME for one creator, one brand or an analyst, and print its password, this once."""
    ids = {"creator": creator, "brand": brand}
    given = [(audience, owner_id) for audience in AUDIENCES if (owner_id := ids[audience.name]) is not None]
    if len(given) + analyst != 1:
        raise click.UsageError("give one of --creator, --brand and --analyst")
    if not name.isascii() or not name.replace("_", "").replace("-", "").replace(".", "").isalnum() or len(name) > 64:
        raise click.UsageError(f"{name!r} is no name for a login: letters, digits, dots, hyphens and _, at most 64")
    server = _server(python)
    warehouse = provisioned_warehouse()
    request: dict[str, Any] = {"action": "add", "name": name, "audience": None, "owner_id": None}
    for audience, owner_id in given:
        logins.assert_known(warehouse, Login(name, audience, owner_id))
        if audience.portal.name not in warehouse.reader_passwords:
            raise DashboardServerError(
                f"the password of {audience.portal.name} is not known, by which {audience.name}s read; set"
                f" WAREHOUSE_{audience.portal.name.upper()}_PASSWORD"
            )
        request |= {"audience": audience.name, "owner_id": owner_id}
    password = secrets.token_urlsafe(12)
    settings = dashboard_settings.settings_for(warehouse, server.folder)
    server.ask(settings, request | {"password": password})
    click.echo(password)


@bi.command("remove-login")
@click.argument("name")
@click.pass_obj
def remove_login(python: Path, name: str) -> None:
    """Remove login NAME and end its sessions."""
    server = _server(python)
    settings = dashboard_settings.settings_for(provisioned_warehouse(), server.folder)
    server.ask(settings, {"action": "remove", "name": name})


@bi.command("list-logins")
@click.pass_obj
def list_logins(python: Path) -> None:
    """List the logins: name, team, creator or brand, id."""
    server = _server(python)
    settings = dashboard_settings.settings_for(provisioned_warehouse(), server.folder)
    for login in server.ask(settings, {"action": "list"})["logins"]:
        click.echo(f"{login['name']}\t{login['sees']}".rstrip())


@bi.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def bundle(file: Path) -> None:
    """Write the dashboards to FILE, a zip that a Superset of your own imports as assets."""
    dashboard_settings.write_bundle(file, os.environ.get("WAREHOUSE_BI_CURRENCY"))
    say(f"{file} has the dashboards; its database has a placeholder for the address")
