"""The commands `roles add-login|remove-login|list|hardening`: who may read marts."""

from collections.abc import Callable, Sequence
from typing import Any

import click

from orchestration.cli.environment import provisioned_warehouse, say
from warehouse.roles import hardening as server_hardening
from warehouse.roles import logins
from warehouse.roles.logins import Login
from warehouse.roles.readers import AUDIENCES


@click.group()
def roles() -> None:
    """Add, remove or list logins of single creators and brands."""


def _audience_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for audience in reversed(AUDIENCES):
        text = f"the id of the {audience.name} whose rows the login sees"
        command = click.option(f"--{audience.name}", metavar="ID", help=text)(command)
    return command


@roles.command("add-login")
@click.argument("name")
@_audience_options
def add_login(name: str, **ids: str | None) -> None:
    """Create login NAME for one creator or brand, and print its DSN, this once.

    Other logins can see NAME: choose one that reveals nothing.
    """
    given = [(audience, owner_id) for audience in AUDIENCES if (owner_id := ids[audience.name]) is not None]
    if len(given) != 1:
        raise click.UsageError(f"give one of {', '.join(f'--{audience.name}' for audience in AUDIENCES)}")
    [(audience, owner_id)] = given
    click.echo(logins.add(provisioned_warehouse(), Login(name, audience, owner_id)))


@roles.command("remove-login")
@click.argument("name")
def remove_login(name: str) -> None:
    """Remove login NAME and end its sessions."""
    logins.remove(provisioned_warehouse(), name)


@roles.command("list")
def list_logins() -> None:
    """List these logins: name, creator or brand, id."""
    found = logins.listed(provisioned_warehouse())
    lines = [f"{login.name}\t{login.audience.name}\t{login.owner_id}" for login in found]
    _print(lines, otherwise="there are no logins of single creators and brands")


@roles.command()
def hardening() -> None:
    """Print the statements by which a superuser of a server of your own can close what is still open."""
    warehouse = provisioned_warehouse()
    with warehouse.connect(autocommit=True) as connection:
        lines = [f"{statement};" for statement in server_hardening.statements(connection, owner=warehouse.user)]
    _print(lines, otherwise="there is nothing left to close on this server")


def _print(lines: Sequence[str], *, otherwise: str) -> None:
    if not lines:
        say(otherwise)
    for line in lines:
        click.echo(line)
