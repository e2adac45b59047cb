"""Connection to the warehouse: the server of WAREHOUSE_URL or the embedded one, and its address for each tool.

orchestration/cli/provision.py creates roles, schemas and tables in it.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from warehouse.embedded.data_dir import OWNER, SUPERUSER
from warehouse.embedded.postgresql_conf import HOST
from warehouse.embedded.server import EmbeddedServer
from warehouse.postgres_url import URL_PARAMETERS, InvalidUrl, build_url, parse_url
from warehouse.roles.readers import BI_READER, BRANDS, CREATORS, READERS

if TYPE_CHECKING:
    import psycopg

CHECKOUT: Final = Path(__file__).resolve().parents[1]
DATABASE: Final = "warehouse"
APPLICATION_DATABASE: Final = "marketplace"
STORAGE_SCHEMA: Final = "dagster"
DBT_TARGET: Final = "warehouse"
CONNECT_SECONDS: Final = 10
# A day is a UTC day. A setting of the connection wins over that of the database, of the role and of the program.
UTC_OPTION: Final = "-ctimezone=UTC"


class WarehouseUnavailable(Exception):
    """The warehouse cannot be used. The message says what is wrong, where, and what to do, and holds no password."""


class PasswordRefused(WarehouseUnavailable):
    """The server answers and rejects the password of the login."""


@dataclass(frozen=True, slots=True)
class Warehouse:
    """One warehouse: a database on a server that speaks TCP, and the login that owns the warehouse's schemas."""

    host: str
    port: int
    database: str
    user: str
    password: str = field(repr=False)
    # The file or variable that has the password.
    password_source: str
    # By role, as far as they are known: of an external warehouse as far as variables such as WAREHOUSE_BI_PASSWORD
    # are set.
    reader_passwords: Mapping[str, str] = field(repr=False, hash=False)
    # None on an external warehouse, which the pipeline uses as its owner only.
    superuser_password: str | None = field(repr=False, default=None)
    # The product's own database; None where none is configured.
    application_url: str | None = field(repr=False, default=None)
    parameters: tuple[tuple[str, str], ...] = ()
    dagster_home: str = str(CHECKOUT / ".dagster")

    @classmethod
    def from_environment(
        cls, environment: Mapping[str, str] | None = None, *, checkout: Path = CHECKOUT
    ) -> "Warehouse":
        """Return the warehouse of this environment. Starts the embedded server where no WAREHOUSE_URL is set.

        Raises:
            WarehouseUnavailable: WAREHOUSE_URL cannot be used. The embedded server never replaces it.
            EmbeddedServerError: The embedded server does not start.
        """
        environment = os.environ if environment is None else environment
        server = EmbeddedServer(checkout)
        url = environment.get("WAREHOUSE_URL", "").strip()
        if not url:
            return cls.from_embedded(server, environment)
        given = cls.from_url(url, environment)
        # Our own child processes get the embedded server's URL, and must recognize the embedded server.
        if (given.host, given.user, given.database) == (HOST, OWNER, DATABASE) and given.port == server.status().port:
            embedded = cls.from_embedded(server, environment)
            return embedded if embedded.password == given.password else given
        return given

    @classmethod
    def from_embedded(cls, server: EmbeddedServer, environment: Mapping[str, str] | None = None) -> "Warehouse":
        """Return the warehouse on this embedded server. Starts the server if it does not run."""
        environment = environment or {}
        address = server.start()
        login = (OWNER, address.passwords[OWNER], address.host, address.port)
        return cls(
            host=address.host,
            port=address.port,
            database=DATABASE,
            user=OWNER,
            password=address.passwords[OWNER],
            password_source=str(server.folder.path / "credentials.json"),
            reader_passwords={reader.name: address.passwords[reader.name] for reader in READERS},
            superuser_password=address.passwords[SUPERUSER],
            application_url=environment.get("APP_DATABASE_URL")
            or build_url("postgresql", *login, APPLICATION_DATABASE),
            dagster_home=environment.get("DAGSTER_HOME") or str(server.folder.checkout / ".dagster"),
        )

    @classmethod
    def from_url(cls, url: str, environment: Mapping[str, str] | None = None) -> "Warehouse":
        """Return the warehouse at a URL, without connecting. Raises WarehouseUnavailable for an unusable URL."""
        environment = environment or {}
        try:
            parts = parse_url(url)
        except InvalidUrl as error:
            raise WarehouseUnavailable(str(error)) from None
        passwords = {
            BI_READER.name: environment.get("WAREHOUSE_BI_PASSWORD"),
            CREATORS.portal.name: environment.get("WAREHOUSE_CREATOR_PORTAL_PASSWORD"),
            BRANDS.portal.name: environment.get("WAREHOUSE_BRAND_PORTAL_PASSWORD"),
        }
        return cls(
            host=parts.host,
            port=parts.port,
            database=parts.database,
            user=parts.user,
            password=parts.password,
            password_source="WAREHOUSE_URL",  # noqa: S106
            reader_passwords={role: password for role, password in passwords.items() if password},
            application_url=environment.get("APP_DATABASE_URL") or None,
            parameters=parts.parameters,
            dagster_home=environment.get("DAGSTER_HOME") or str(CHECKOUT / ".dagster"),
        )

    @property
    def is_embedded(self) -> bool:
        """True for the embedded server, which provisioning may configure as its superuser."""
        return self.superuser_password is not None

    @property
    def url(self) -> str:
        """The owner's URL for psycopg."""
        return self._owner_url("postgresql")

    @property
    def sqlalchemy_url(self) -> str:
        """The owner's URL for SQLAlchemy."""
        return self._owner_url("postgresql+psycopg", options=UTC_OPTION)

    @property
    def dagster_storage_url(self) -> str:
        """Dagster's own tables, in a schema of the warehouse. By psycopg2: Dagster's NOTIFY fails under psycopg 3."""
        return self._owner_url("postgresql+psycopg2", options=f"-csearch_path={STORAGE_SCHEMA} {UTC_OPTION}")

    @property
    def bi_dsn(self) -> str:
        """The URL for a BI tool, without a password where it is not known."""
        return self.dsn(BI_READER.name)

    def dsn(self, role: str, password: str | None = None) -> str:
        """Return the URL for a role that reads marts, without a password where none is given or known."""
        password = password or self.reader_passwords.get(role)
        return build_url("postgresql", role, password, self.host, self.port, self.database, dict(self.parameters))

    @property
    def bi_password(self) -> str | None:
        """The password of bi_reader, where it is known."""
        return self.reader_passwords.get(BI_READER.name)

    def superuser_url(self, database: str) -> str:
        """Return the superuser's URL of a database of the embedded server. Raises ValueError on an external one."""
        if self.superuser_password is None:
            raise ValueError("only the embedded server is used as a superuser")
        return build_url("postgresql", SUPERUSER, self.superuser_password, self.host, self.port, database)

    def dbt_env(self) -> dict[str, str]:
        """Return the variables that dbt's profiles.yml reads, and those of libpq for which the profile has no field."""
        # PGTZ is read by libpq, since dbt's profile has no field for it.
        return self._login("WAREHOUSE_") | {"DBT_TARGET": DBT_TARGET, "PGTZ": "UTC"}

    def libpq_environment(self) -> dict[str, str]:
        """Return the variables by which psql and Postgres's other client programs connect as the owner."""
        return self._login("PG")

    def _login(self, prefix: str) -> dict[str, str]:
        names = ("host", "port", "user", "password", "database")
        own = {f"{prefix}{name.upper()}": str(getattr(self, name)) for name in names}
        return own | {URL_PARAMETERS[name]: value for name, value in self.parameters}

    def shell_environment(self) -> dict[str, str]:
        """Return every variable for work by hand in the checkout's root, with dg, dbt or psql."""
        project = str(CHECKOUT / "dbt_project")
        by_hand = {"DBT_PROJECT_DIR": project, "DBT_PROFILES_DIR": project}
        return self.environment() | self.libpq_environment() | by_hand

    def environment(self) -> dict[str, str]:
        """Return every variable by which a child process finds the same warehouse."""
        optional = {"WAREHOUSE_BI_PASSWORD": self.bi_password, "APP_DATABASE_URL": self.application_url}
        return {
            "WAREHOUSE_URL": self.url,
            "WAREHOUSE_STORAGE_URL": self.dagster_storage_url,
            "DAGSTER_HOME": self.dagster_home,
            **self.dbt_env(),
            **{name: value for name, value in optional.items() if value},
        }

    def connect(self, **options: Any) -> "psycopg.Connection":
        """Return a connection as the owner; options as of psycopg.connect. Raises WarehouseUnavailable."""
        return self.connect_to(self.url, **options)

    def connect_to(self, url: str, **options: Any) -> "psycopg.Connection":
        """Return a connection to any database of this server, as any of its logins. Raises WarehouseUnavailable."""
        import psycopg

        defaults = {"connect_timeout": CONNECT_SECONDS, "application_name": "warehouse", "options": UTC_OPTION}
        try:
            return psycopg.connect(url, **{**defaults, **dict(self.parameters), **options})
        except psycopg.OperationalError as error:
            raise self._explained(str(error), psycopg.conninfo.conninfo_to_dict(url)) from error

    def _owner_url(self, scheme: str, **parameters: str) -> str:
        parameters = dict(self.parameters) | parameters
        return build_url(scheme, self.user, self.password, self.host, self.port, self.database, parameters)

    def _explained(self, error: str, login: Mapping[str, object]) -> WarehouseUnavailable:
        where = f"{self.host}, port {self.port}"
        user, database = login["user"], login["dbname"]
        if "password authentication failed" in error or "no password supplied" in error:
            return PasswordRefused(
                f"the warehouse at {where} refuses the password of user {user}; it comes from {self.password_source}"
            )
        if f'database "{database}" does not exist' in error:
            remedy = "run make ui, which creates it" if self.is_embedded else "create it, or correct WAREHOUSE_URL"
            return WarehouseUnavailable(f"the warehouse at {where} has no database {database}; {remedy}")
        if self.is_embedded:
            remedy = "start it with make ui; .venv/bin/warehouse status shows it"
        else:
            remedy = "check that the server runs and that host and port in WAREHOUSE_URL are right"
        reason = " ".join(error.split())
        return WarehouseUnavailable(
            f"the warehouse at {where} cannot be reached as user {user}, database {database}: {reason}; {remedy}"
        )
