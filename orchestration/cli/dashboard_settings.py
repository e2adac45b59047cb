"""Settings of the dashboard server for a warehouse: its metadata database, passwords and bundle.

Passwords come from variables, or are generated once into a private file beside the embedded server's.
"""

import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from dashboards.server.server_settings import ServerSettings
from orchestration.cli.dashboard_server import DashboardServerError
from warehouse.connection import CHECKOUT, Warehouse
from warehouse.embedded.data_dir import read_json, write
from warehouse.postgres_url import build_url
from warehouse.roles.provisioning import password_clause
from warehouse.roles.readers import BI_READER, MARTS

METADATA_DATABASE: Final = "superset"
METADATA_OWNER: Final = "superset_owner"
PYTHON: Final = CHECKOUT / "build" / "bi" / "venv" / "bin" / "python"
_GENERATED: Final = ("secret_key", "admin_password", "metadata_password")


def folder_of(checkout: Path = CHECKOUT) -> Path:
    """Return the private folder of the dashboard server."""
    return checkout / ".warehouse" / "dashboards"


def settings_for(warehouse: Warehouse, folder: Path, environment: Mapping[str, str] | None = None) -> ServerSettings:
    """Return the settings, with the metadata database and the bundle made. Raises DashboardServerError."""
    environment = os.environ if environment is None else environment
    if not warehouse.bi_password:
        raise DashboardServerError(
            f"the password of {BI_READER.name} is not known; set WAREHOUSE_BI_PASSWORD, as for any BI tool"
        )
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    known = _secrets(folder)
    return ServerSettings(
        folder=str(folder),
        metadata_url=_metadata_url(warehouse, known["metadata_password"], environment.get("WAREHOUSE_BI_METADATA_URL")),
        secret_key=environment.get("WAREHOUSE_BI_SECRET_KEY") or known["secret_key"],
        admin_password=environment.get("WAREHOUSE_BI_ADMIN_PASSWORD") or known["admin_password"],
        bundle=str(write_bundle(folder / "dashboards.zip", environment.get("WAREHOUSE_BI_CURRENCY"))),
        connections={role: warehouse.dsn(role) for role in warehouse.reader_passwords},
    )


def write_bundle(path: Path, currency: str | None) -> Path:
    """Write the zip of all dashboards, as Superset imports it. Raises DashboardServerError for a wrong spec."""
    from dashboards import bundle, catalog, queries
    from dashboards.spec import SpecError

    known = catalog.catalog()
    try:
        texts = bundle.files(queries.dashboards(known), known, currency=currency or "")
    except SpecError as error:
        raise DashboardServerError(str(error)) from None
    path.write_bytes(bundle.as_zip(texts))
    return path


def assert_published(warehouse: Warehouse) -> None:
    """Raise DashboardServerError where no day is published, so that every dashboard would be empty or fail."""
    import psycopg

    with warehouse.connect(autocommit=True) as connection:
        try:
            row = connection.execute(f"select 1 from {MARTS}.published_days limit 1").fetchone()
        except psycopg.errors.UndefinedTable:
            row = None
    if row is None:
        raise DashboardServerError(
            "nothing is published yet, so there is nothing to show: run make demo for sample data, or load and publish"
            " a day of your own (docs/start.md), then make bi again"
        )


def _secrets(folder: Path) -> dict[str, str]:
    file = folder / "secrets.json"
    known: dict[str, str] = read_json(file)
    missing = [name for name in _GENERATED if name not in known]
    if missing:
        known |= {name: secrets.token_urlsafe(24) for name in missing}
        write(file, json.dumps(known, indent=2))
    return known


def _metadata_url(warehouse: Warehouse, password: str, given: str | None) -> str:
    """Return the address of the metadata database. On the embedded server the database and its owner are made."""
    if given:
        return given.replace("postgresql://", "postgresql+psycopg2://", 1)
    if not warehouse.is_embedded:
        raise DashboardServerError(
            "on a Postgres of your own, Superset needs a database for logins and its own tables. Create one, such as"
            f" create role {METADATA_OWNER} login password '...'; create database {METADATA_DATABASE} owner"
            f" {METADATA_OWNER}; then set WAREHOUSE_BI_METADATA_URL=postgresql://{METADATA_OWNER}:...@host:5432/"
            f"{METADATA_DATABASE}"
        )
    make_metadata_database(warehouse, password)
    login = (METADATA_OWNER, password, warehouse.host, warehouse.port, METADATA_DATABASE)
    return build_url("postgresql+psycopg2", *login)


def make_metadata_database(warehouse: Warehouse, password: str) -> None:
    """Create the metadata database of the embedded server, and its owner, who has no rights on the warehouse."""
    from warehouse.embedded.data_dir import SUPERUSER

    with warehouse.connect_to(warehouse.superuser_url(SUPERUSER), autocommit=True) as connection:
        clause = password_clause(connection, METADATA_OWNER, password)
        known = connection.execute("select 1 from pg_roles where rolname = %s", [METADATA_OWNER]).fetchone()
        verb = "alter" if known else "create"
        connection.execute(f"{verb} role {METADATA_OWNER} login connection limit 30 {clause}")
        if not connection.execute("select 1 from pg_database where datname = %s", [METADATA_DATABASE]).fetchone():
            connection.execute(f"create database {METADATA_DATABASE} owner {METADATA_OWNER}")
            connection.execute(f"revoke connect, temporary on database {METADATA_DATABASE} from public")
