"""Postgres URLs: reading the owner's WAREHOUSE_URL, and writing the URLs by which each tool connects."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote, urlencode

# The parameters that a WAREHOUSE_URL may have, with the variables by which they reach dbt, whose profile lacks them.
URL_PARAMETERS: Final = {
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "connect_timeout": "PGCONNECT_TIMEOUT",
}
_MAX_PORT: Final = 65_535
_URL_SHAPE: Final = "postgresql://user:password@host:port/database"


class InvalidUrl(ValueError):
    """A URL that not every tool could use; the message holds no password."""


@dataclass(frozen=True, slots=True)
class UrlParts:
    """The parts of a Postgres URL that names one server, reached by TCP."""

    host: str
    port: int
    database: str
    user: str
    password: str = field(repr=False)
    parameters: tuple[tuple[str, str], ...]


def parse_url(url: str) -> UrlParts:
    """Return the parts of a WAREHOUSE_URL, without connecting. Raises InvalidUrl."""
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    try:
        parts = {name: str(value) for name, value in conninfo_to_dict(url).items()}
    except psycopg.ProgrammingError:
        # libpq's message may quote a piece of the password.
        raise InvalidUrl(
            f"WAREHOUSE_URL cannot be read; write {_URL_SHAPE}, with %XX for special characters in the password"
        ) from None
    if not url.startswith(("postgresql://", "postgres://")):
        raise InvalidUrl(f"WAREHOUSE_URL is not a Postgres URL; write {_URL_SHAPE}")
    for name, key in (("user", "user"), ("host", "host"), ("database", "dbname")):
        if not parts.get(key):
            raise InvalidUrl(f"WAREHOUSE_URL names no {name}; write {_URL_SHAPE}")
    if parts["host"].startswith(("/", "@")) or "," in parts["host"]:
        raise InvalidUrl(f"WAREHOUSE_URL must name one host, reached by TCP, not {parts['host']!r}")
    port = parts.get("port") or "5432"
    if not (port.isdecimal() and 0 < int(port) <= _MAX_PORT):
        raise InvalidUrl(f"WAREHOUSE_URL has the port {port!r}: a port is a number from 1 to {_MAX_PORT}")
    unknown = parts.keys() - URL_PARAMETERS - {"user", "password", "host", "port", "dbname"}
    if unknown:
        raise InvalidUrl(
            f"WAREHOUSE_URL has parameters that not every tool would follow: {', '.join(sorted(unknown))};"
            f" it may have {', '.join(URL_PARAMETERS)}"
        )
    return UrlParts(
        host=parts["host"],
        port=int(port),
        database=parts["dbname"],
        user=parts["user"],
        password=parts.get("password", ""),
        parameters=tuple((name, parts[name]) for name in URL_PARAMETERS if name in parts),
    )


def build_url(
    scheme: str,
    user: str,
    password: str | None,
    host: str,
    port: int,
    database: str,
    parameters: Mapping[str, str] | None = None,
) -> str:
    """Return a URL with every part escaped, without a password where none is given."""
    login = quote(user, safe="") + (f":{quote(password, safe='')}" if password else "")
    address = f"[{host}]" if ":" in host else host
    query = f"?{urlencode(parameters, quote_via=quote)}" if parameters else ""
    return f"{scheme}://{login}@{address}:{port}/{quote(database, safe='')}{query}"
