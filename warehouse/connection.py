"""Where the warehouse is: the server that WAREHOUSE_URL names, else the embedded one; and the names under which each
tool reaches it. Creating what has to be in it is in preparation.py.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode

from warehouse.embedded.data_dir import OWNER, SUPERUSER
from warehouse.embedded.postgresql_conf import HOST
from warehouse.embedded.server import EmbeddedServer
from warehouse.reader_roles import BI_READER, BRANDS, CREATORS, READERS

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

# What a WAREHOUSE_URL may say after its "?", and the variable by which it reaches dbt, whose profile has no such field.
URL_PARAMETERS: Final = {
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "connect_timeout": "PGCONNECT_TIMEOUT",
}
_MAX_PORT: Final = 65_535
_URL_SHAPE: Final = "postgresql://user:password@host:port/database"


class WarehouseUnavailable(Exception):
    """The warehouse cannot be used; the message says what is wrong, where, and what to do, and holds no password."""


class PasswordRefused(WarehouseUnavailable):
    """The server is there and refuses the login."""


@dataclass(frozen=True, slots=True)
class Warehouse:
    """One warehouse: a database on a server that speaks TCP, and the login that owns the warehouse's schemas."""

    host: str
    port: int
    database: str
    user: str
    password: str = field(repr=False)
    # Where a person finds the password: a file or a variable.
    password_source: str
    # By role; without those that nobody told us, as WAREHOUSE_BI_PASSWORD of an external warehouse.
    reader_passwords: Mapping[str, str] = field(repr=False, hash=False)
    # None on an external warehouse, where we are never more than the owner.
    superuser_password: str | None = field(repr=False, default=None)
    # The product's own database; None where nobody named one.
    application_url: str | None = field(repr=False, default=None)
    parameters: tuple[tuple[str, str], ...] = ()
    dagster_home: str = str(CHECKOUT / ".dagster")

    @classmethod
    def from_environment(
        cls, environment: Mapping[str, str] | None = None, *, checkout: Path = CHECKOUT
    ) -> "Warehouse":
        """The warehouse of this environment; the embedded server is started if it is the one and does not run.

        A WAREHOUSE_URL that is wrong is an error, never a reason to take the embedded server. Raises
        WarehouseUnavailable and, when the embedded server does not start, EmbeddedServerError.
        """
        environment = os.environ if environment is None else environment
        server = EmbeddedServer(checkout)
        url = environment.get("WAREHOUSE_URL", "").strip()
        if not url:
            return cls.from_embedded(server, environment)
        given = cls.from_url(url, environment)
        # The processes we start are told the embedded server's URL, and it is still the embedded server to them.
        if (given.host, given.user, given.database) == (HOST, OWNER, DATABASE) and given.port == server.status().port:
            embedded = cls.from_embedded(server, environment)
            return embedded if embedded.password == given.password else given
        return given

    @classmethod
    def from_embedded(cls, server: EmbeddedServer, environment: Mapping[str, str] | None = None) -> "Warehouse":
        """The warehouse on this embedded server, which is started if it does not run."""
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
            application_url=environment.get("APP_DATABASE_URL") or _url("postgresql", *login, APPLICATION_DATABASE),
            dagster_home=environment.get("DAGSTER_HOME") or str(server.folder.checkout / ".dagster"),
        )

    @classmethod
    def from_url(cls, url: str, environment: Mapping[str, str] | None = None) -> "Warehouse":
        """The warehouse at a URL. Raises WarehouseUnavailable when the URL is not usable, without connecting."""
        import psycopg
        from psycopg.conninfo import conninfo_to_dict

        environment = environment or {}
        try:
            parts = {name: str(value) for name, value in conninfo_to_dict(url).items()}
        except psycopg.ProgrammingError:
            # What libpq says of it may quote a piece of the password.
            raise WarehouseUnavailable(
                f"WAREHOUSE_URL cannot be read; write {_URL_SHAPE}, with %XX for special characters in the password"
            ) from None
        if not url.startswith(("postgresql://", "postgres://")):
            raise WarehouseUnavailable(f"WAREHOUSE_URL is not a Postgres URL; write {_URL_SHAPE}")
        for name, key in (("user", "user"), ("host", "host"), ("database", "dbname")):
            if not parts.get(key):
                raise WarehouseUnavailable(f"WAREHOUSE_URL names no {name}; write {_URL_SHAPE}")
        if parts["host"].startswith(("/", "@")) or "," in parts["host"]:
            raise WarehouseUnavailable(f"WAREHOUSE_URL must name one host, reached by TCP, not {parts['host']!r}")
        port = parts.get("port") or "5432"
        if not (port.isdecimal() and 0 < int(port) <= _MAX_PORT):
            raise WarehouseUnavailable(f"WAREHOUSE_URL has the port {port!r}: a port is a number from 1 to {_MAX_PORT}")
        unknown = parts.keys() - URL_PARAMETERS - {"user", "password", "host", "port", "dbname"}
        if unknown:
            raise WarehouseUnavailable(
                f"WAREHOUSE_URL has parameters that not every tool would follow: {', '.join(sorted(unknown))};"
                f" it may have {', '.join(URL_PARAMETERS)}"
            )
        passwords = {
            BI_READER.name: environment.get("WAREHOUSE_BI_PASSWORD"),
            CREATORS.portal.name: environment.get("WAREHOUSE_CREATOR_PORTAL_PASSWORD"),
            BRANDS.portal.name: environment.get("WAREHOUSE_BRAND_PORTAL_PASSWORD"),
        }
        return cls(
            host=parts["host"],
            port=int(port),
            database=parts["dbname"],
            user=parts["user"],
            password=parts.get("password", ""),
            password_source="WAREHOUSE_URL",  # noqa: S106
            reader_passwords={role: password for role, password in passwords.items() if password},
            application_url=environment.get("APP_DATABASE_URL") or None,
            parameters=tuple((name, parts[name]) for name in URL_PARAMETERS if name in parts),
            dagster_home=environment.get("DAGSTER_HOME") or str(CHECKOUT / ".dagster"),
        )

    @property
    def is_embedded(self) -> bool:
        """Whether this is the embedded server, which we may set up as we need it."""
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
        """Dagster's own tables, in a schema of the warehouse; under psycopg 3 its NOTIFY fails."""
        return self._owner_url("postgresql+psycopg2", options=f"-csearch_path={STORAGE_SCHEMA} {UTC_OPTION}")

    @property
    def bi_dsn(self) -> str:
        """What to enter in a BI tool; without a password where we do not know it."""
        return self.dsn(BI_READER.name)

    def dsn(self, role: str, password: str | None = None) -> str:
        """The warehouse's URL for a role that reads marts; without a password where none is given or known."""
        password = password or self.reader_passwords.get(role)
        return _url("postgresql", role, password, self.host, self.port, self.database, dict(self.parameters))

    @property
    def bi_password(self) -> str | None:
        """The password of bi_reader, where we know it."""
        return self.reader_passwords.get(BI_READER.name)

    def superuser_url(self, database: str) -> str:
        """A database of the embedded server as its superuser. Raises ValueError on an external warehouse."""
        if self.superuser_password is None:
            raise ValueError("only the embedded server is known to us as a superuser")
        return _url("postgresql", SUPERUSER, self.superuser_password, self.host, self.port, database)

    def dbt_env(self) -> dict[str, str]:
        """The variables that dbt's profiles.yml reads, and those of libpq that its profile has no field for."""
        return {
            "WAREHOUSE_HOST": self.host,
            "WAREHOUSE_PORT": str(self.port),
            "WAREHOUSE_USER": self.user,
            "WAREHOUSE_PASSWORD": self.password,
            "WAREHOUSE_DATABASE": self.database,
            "DBT_TARGET": DBT_TARGET,
            # Of libpq: dbt's profile has no field for it.
            "PGTZ": "UTC",
        } | {URL_PARAMETERS[name]: value for name, value in self.parameters}

    def libpq_environment(self) -> dict[str, str]:
        """The variables by which psql and Postgres's other client programs find the warehouse, as its owner."""
        return {
            "PGHOST": self.host,
            "PGPORT": str(self.port),
            "PGUSER": self.user,
            "PGPASSWORD": self.password,
            "PGDATABASE": self.database,
        } | {URL_PARAMETERS[name]: value for name, value in self.parameters}

    def shell_environment(self) -> dict[str, str]:
        """Every variable for work by hand, in the checkout's root: for dg and dbt and for psql."""
        project = str(CHECKOUT / "dbt_project")
        by_hand = {"DBT_PROJECT_DIR": project, "DBT_PROFILES_DIR": project}
        return self.environment() | self.libpq_environment() | by_hand

    def environment(self) -> dict[str, str]:
        """Every variable by which a process that we start finds the same warehouse."""
        optional = {"WAREHOUSE_BI_PASSWORD": self.bi_password, "APP_DATABASE_URL": self.application_url}
        return {
            "WAREHOUSE_URL": self.url,
            "WAREHOUSE_STORAGE_URL": self.dagster_storage_url,
            "DAGSTER_HOME": self.dagster_home,
            **self.dbt_env(),
            **{name: value for name, value in optional.items() if value},
        }

    def connect(self, **options: Any) -> "psycopg.Connection":
        """A connection as the owner; options as of psycopg.connect. Raises WarehouseUnavailable."""
        return self.connect_to(self.url, **options)

    def connect_to(self, url: str, **options: Any) -> "psycopg.Connection":
        """A connection to any database of this server, as any of its logins. Raises WarehouseUnavailable."""
        import psycopg

        defaults = {"connect_timeout": CONNECT_SECONDS, "application_name": "warehouse", "options": UTC_OPTION}
        try:
            return psycopg.connect(url, **{**defaults, **dict(self.parameters), **options})
        except psycopg.OperationalError as error:
            raise self._explained(str(error), psycopg.conninfo.conninfo_to_dict(url)) from error

    def _owner_url(self, scheme: str, **parameters: str) -> str:
        parameters = dict(self.parameters) | parameters
        return _url(scheme, self.user, self.password, self.host, self.port, self.database, parameters)

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
            remedy = "start it with make ui or python -m orchestration start; python -m orchestration status shows it"
        else:
            remedy = "check that the server runs and that host and port in WAREHOUSE_URL are right"
        reason = " ".join(error.split())
        return WarehouseUnavailable(
            f"the warehouse at {where} cannot be reached as user {user}, database {database}: {reason}; {remedy}"
        )


def _url(
    scheme: str,
    user: str,
    password: str | None,
    host: str,
    port: int,
    database: str,
    parameters: Mapping[str, str] | None = None,
) -> str:
    login = quote(user, safe="") + (f":{quote(password, safe='')}" if password else "")
    place = f"[{host}]" if ":" in host else host
    query = f"?{urlencode(parameters, quote_via=quote)}" if parameters else ""
    return f"{scheme}://{login}@{place}:{port}/{quote(database, safe='')}{query}"
