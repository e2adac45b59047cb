"""Logins of people at the dashboard server, added, removed and listed: `python -m dashboards.server.manage_logins`.

One request comes as JSON on standard input, and one answer goes to standard output. `warehouse bi` sends it.
"""

import json
import sys
from typing import Any

from dashboards.server.access import role_of


class LoginRefused(Exception):
    """A login cannot be added or removed. The message says why."""


def add(manager: Any, name: str, password: str, audience: str | None, owner_id: str | None) -> None:
    """Create a login of a creator or brand, or without an audience of an analyst. Raises LoginRefused."""
    from dashboards.server import portal_logins
    from dashboards.server.portal_logins import PortalLogin

    if manager.find_user(username=name) is not None:
        raise LoginRefused(f"{name} exists already; remove that login first, or choose another name")
    names = ["Alpha", "sql_lab"] if audience is None else [role_of(audience)]
    roles = [manager.find_role(role) for role in names]
    if None in roles:
        raise LoginRefused("the dashboards are not set up yet; run make bi once")
    portal_logins.remove(name)
    if audience is not None and owner_id is not None:
        portal_logins.add(PortalLogin(name, audience, owner_id))
    if not manager.add_user(name, name, "", f"{name}@dashboards.invalid", roles, password=password):
        portal_logins.remove(name)
        raise LoginRefused(f"{name} cannot be created; the log says why")


def remove(manager: Any, name: str) -> None:
    """Remove a login. Raises LoginRefused for one that is not there, and for the administrator."""
    from superset import db

    from dashboards.server import portal_logins
    from dashboards.server.bootstrap import ADMINISTRATOR

    user = manager.find_user(username=name)
    if user is None:
        raise LoginRefused(f"{name} is no login of the dashboards; `warehouse bi list-logins` names them all")
    if name == ADMINISTRATOR:
        raise LoginRefused(f"{name} is the administrator, whom make bi would create again")
    # Its sessions end with the user; the record goes last, so that nobody sees more in between.
    db.session.delete(user)
    db.session.commit()
    portal_logins.remove(name)


def listed(manager: Any) -> list[dict[str, str]]:
    """Return every login with the rows that it sees."""
    from dashboards.server import portal_logins

    owners = {login.username: login for login in portal_logins.listed()}
    found = []
    for user in sorted(manager.get_all_users(), key=lambda user: str(user.username)):
        login = owners.get(user.username)
        sees = f"{login.audience}\t{login.owner_id}" if login else "team\t"
        found.append({"name": user.username, "sees": sees})
    return found


def main() -> None:
    """Carry out one request."""
    from superset.app import create_app

    request: dict[str, Any] = json.loads(sys.stdin.read())
    action = request.pop("action")
    app = create_app()
    answer: dict[str, Any] = {}
    with app.app_context():
        manager = app.appbuilder.sm
        try:
            if action == "list":
                answer["logins"] = listed(manager)
            elif action == "add":
                add(manager, **request)
            else:
                remove(manager, **request)
        except LoginRefused as error:
            answer["error"] = str(error)
    sys.stdout.write(f"\n{json.dumps(answer)}\n")


if __name__ == "__main__":
    main()
