"""Connections of the dashboard server to the warehouse: as whom, by who is signed in.

The team reads as bi_reader. A creator or brand reads as its portal role, with the setting that row policies go by. So
Postgres decides which rows a person sees, whatever a chart asks.
"""

import re
from typing import Any, Final

from flask import g, has_request_context
from sqlalchemy.engine import URL, make_url

from dashboards.server import portal_logins
from dashboards.server.server_settings import from_file
from warehouse.roles.readers import AUDIENCES, BI_READER

# Roles of Superset whose members see every row of the marts.
TEAM_ROLES: Final = frozenset({"Admin", "Alpha"})
_SETTINGS: Final = from_file()


class AccessRefused(Exception):
    """The person who is signed in may not read the warehouse."""


def connect_as_the_user(
    uri: URL,  # noqa: ARG001 - the address in the metadata is a placeholder
    params: dict[str, Any],
    username: str | None,  # noqa: ARG001 - taken from the session, which nobody can rename
    security_manager: Any,  # noqa: ARG001
    source: Any,  # noqa: ARG001
) -> tuple[URL, dict[str, Any]]:
    """Return the address and parameters of a connection for the person of this request. Raises AccessRefused."""
    role, options = _identity()
    if role not in _SETTINGS.connections:
        variable = f"WAREHOUSE_{role.upper()}_PASSWORD"
        raise AccessRefused(f"the password of {role} is not known; set {variable} and start the dashboards again")
    arguments = dict(params.get("connect_args", {}))
    given = str(arguments.get("options", ""))
    arguments["options"] = " ".join(part for part in (given, "-ctimezone=UTC", *options) if part)
    url = make_url(_SETTINGS.connections[role]).set(drivername="postgresql+psycopg2")
    return url, {**params, "connect_args": arguments}


def _identity() -> tuple[str, list[str]]:
    if not has_request_context():
        return BI_READER.name, []  # the bootstrap
    user = getattr(g, "user", None)
    if user is None or user.is_anonymous:
        raise AccessRefused("nobody is signed in")
    login = portal_logins.find(user.username)
    if login is not None:
        audience = next(one for one in AUDIENCES if one.name == login.audience)
        return audience.portal.name, [f"-c{audience.setting}={_escaped(login.owner_id)}"]
    if TEAM_ROLES & {role.name for role in user.roles}:
        return BI_READER.name, []
    raise AccessRefused(f"{user.username} belongs neither to the team nor to a creator or brand")


def _escaped(text: str) -> str:
    """Return a value for libpq's options, where blanks separate and backslashes escape."""
    return re.sub(r"([\\\s])", r"\\\1", text)
