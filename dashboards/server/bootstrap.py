"""Bootstrap of the dashboard server in one process: metadata, roles, the administrator, dashboards.

It may be run at any time and changes nothing that is right already: `python -m dashboards.server.bootstrap`.
"""

import sys
import zipfile
from collections.abc import Iterable
from typing import Any, Final

from dashboards.bundle import DATABASE
from dashboards.server.server_settings import ServerSettings, from_file

ADMINISTRATOR: Final = "admin"
# The uuids of the last import, so that it is known what has gone since. Things that people made are not in it.
_ASSETS_DDL: Final = (
    "create table if not exists warehouse_assets (uuid varchar(36) primary key, kind varchar(16) not null)"
)


def main() -> None:
    """Make metadata and dashboards as the settings and the bundle say."""
    from superset.app import create_app

    settings = from_file()
    app = create_app()
    with app.app_context():
        _migrate()
        _make_roles(app)
        _make_administrator(app, settings)
        audiences = _import(settings)
        _give_access(app, audiences)


def _migrate() -> None:
    import flask_migrate

    flask_migrate.upgrade()


def _make_roles(app: Any) -> None:
    from dashboards.server import portal_logins

    app.appbuilder.add_permissions(update_perms=True)
    app.appbuilder.sm.sync_role_definitions()
    portal_logins.create_table()


def _make_administrator(app: Any, settings: ServerSettings) -> None:
    manager = app.appbuilder.sm
    user = manager.find_user(username=ADMINISTRATOR)
    if user is None:
        role = manager.find_role("Admin")
        address = f"{ADMINISTRATOR}@dashboards.invalid"
        if not manager.add_user(ADMINISTRATOR, "Admin", "", address, role, password=settings.admin_password):
            raise SystemExit("the administrator of the dashboards cannot be created; the log says why")
    elif not _has_password(user, settings.admin_password):
        manager.reset_password(user.id, settings.admin_password)


def _has_password(user: Any, password: str) -> bool:
    from werkzeug.security import check_password_hash

    return bool(check_password_hash(user.password, password))


def _import(settings: ServerSettings) -> dict[str, list[str]]:
    """Import the bundle and remove what has gone from it. Return the uuids of datasets by audience."""
    import yaml
    from flask import g
    from superset import db, security_manager
    from superset.commands.importers.v1.assets import ImportAssetsCommand
    from superset.commands.importers.v1.utils import get_contents_from_bundle

    with zipfile.ZipFile(settings.bundle) as archive:
        contents: dict[str, str] = get_contents_from_bundle(archive)
    g.user = security_manager.find_user(username=ADMINISTRATOR)
    ImportAssetsCommand(contents).run()
    present = {name: yaml.safe_load(text) for name, text in contents.items() if "/" in name}
    _remove_what_has_gone(db, {str(content["uuid"]): name.partition("/")[0] for name, content in present.items()})
    found: dict[str, list[str]] = {}
    for name, content in present.items():
        if name.startswith("datasets/") and (audience := content.get("extra", {}).get("audience")):
            found.setdefault(audience, []).append(str(content["uuid"]))
    return found


def _remove_what_has_gone(db: Any, present: dict[str, str]) -> None:
    from sqlalchemy import text
    from superset.connectors.sqla.models import SqlaTable
    from superset.models.dashboard import Dashboard
    from superset.models.slice import Slice

    db.session.execute(text(_ASSETS_DDL))
    known = dict(db.session.execute(text("select uuid, kind from warehouse_assets")).fetchall())
    # A chart reads a dataset and stands on a dashboard.
    for kind, model in (("dashboards", Dashboard), ("charts", Slice), ("datasets", SqlaTable)):
        for uuid in [uuid for uuid, its_kind in known.items() if its_kind == kind and uuid not in present]:
            thing = db.session.query(model).filter_by(uuid=uuid).one_or_none()
            if thing is not None:
                db.session.delete(thing)
    db.session.execute(text("delete from warehouse_assets"))
    rows = [{"uuid": uuid, "kind": kind} for uuid, kind in present.items()]
    db.session.execute(text("insert into warehouse_assets (uuid, kind) values (:uuid, :kind)"), rows)
    db.session.commit()


def _give_access(app: Any, audiences: dict[str, list[str]]) -> None:
    """Give each audience the permissions of its dashboards, and take all others from its role."""
    from superset import db
    from superset.connectors.sqla.models import SqlaTable

    from dashboards.server.access import PORTAL_PERMISSIONS, role_of

    manager = app.appbuilder.sm
    for audience, uuids in audiences.items():
        role = manager.add_role(role_of(audience))
        datasets = db.session.query(SqlaTable).filter(SqlaTable.uuid.in_(uuids)).all()
        wanted = [(permission, view) for permission, view in PORTAL_PERMISSIONS]
        wanted += [("datasource_access", dataset.perm) for dataset in datasets]
        role.permissions = list(_existing(manager, wanted))
    db.session.commit()


def _existing(manager: Any, wanted: Iterable[tuple[str, str]]) -> Iterable[Any]:
    for permission, view in wanted:
        found = manager.find_permission_view_menu(permission, view)
        if found is not None:
            yield found


if __name__ == "__main__":
    main()
    sys.stderr.write(f"the dashboards of database {DATABASE} are imported\n")
