"""`python -m orchestration roles add-login|remove-login|list|hardening`: who may read marts."""

import argparse
import sys
from collections.abc import Sequence
from typing import Final

from warehouse.connection import Warehouse
from warehouse.reader_roles import AUDIENCES
from warehouse.roles import hardening, logins
from warehouse.roles.logins import Login, LoginError

ABOUT = "add, remove or list logins of single creators and brands; print what else an administrator can close"

_NOTHING: Final = {
    "list": "there are no logins of single creators and brands",
    "hardening": "there is nothing left to close on this server",
}


def parser(arguments: argparse.ArgumentParser) -> None:
    """Add what this command understands."""
    actions = arguments.add_subparsers(dest="roles_action", required=True, metavar="ACTION")
    add = actions.add_parser("add-login", help="create a login for one creator or brand and print its DSN, this once")
    add.add_argument("name", help="of the login; other logins can see it, so let it tell nothing")
    whose = add.add_mutually_exclusive_group(required=True)
    for audience in AUDIENCES:
        whose.add_argument(f"--{audience.name}", metavar="ID", help=f"the id of the {audience.name} whose rows it sees")
    remove = actions.add_parser("remove-login", help="remove such a login and end its sessions")
    remove.add_argument("name")
    actions.add_parser("list", help="list these logins: name, creator or brand, id")
    actions.add_parser("hardening", help="print what a superuser of another server than ours can still take from all")


def run(warehouse: Warehouse, options: argparse.Namespace) -> int:
    """Do it; return the exit code. What was asked for goes to standard output, what went wrong to the other."""
    lines: Sequence[str] = ()
    try:
        if options.roles_action == "add-login":
            (audience,) = [audience for audience in AUDIENCES if getattr(options, audience.name) is not None]
            lines = [logins.add(warehouse, Login(options.name, audience, getattr(options, audience.name)))]
        elif options.roles_action == "remove-login":
            logins.remove(warehouse, options.name)
        elif options.roles_action == "list":
            lines = [f"{login.name}\t{login.audience.name}\t{login.owner_id}" for login in logins.listed(warehouse)]
        else:
            with warehouse.connect(autocommit=True) as connection:
                lines = [f"{statement};" for statement in hardening.statements(connection, owner=warehouse.user)]
    except LoginError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    if not lines and options.roles_action in _NOTHING:
        sys.stderr.write(f"{_NOTHING[options.roles_action]}\n")
    sys.stdout.writelines(f"{line}\n" for line in lines)
    return 0
