"""Declared roles that read schema marts, with their settings and limits.

warehouse/roles/provisioning.py creates them; warehouse/roles/row_policies.py decides which rows they see.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

MARTS: Final = "marts"
# Marts that only the pipeline reads; no reader may enter the schema.
ROLLUPS: Final = "rollups"
# In place of an owner column: the rows have no owner, and every portal sees them.
EVERY_ROW: Final = "*"
# The logins of creators and brands; only the owner reads it.
ACCESS: Final = "access"


@dataclass(frozen=True, slots=True)
class Reader:
    """A role that reads marts and nothing else, with its number of connections, settings and limits.

    A session may change its own settings: they contain mistakes, not attacks. Only a superuser may change limits; see
    warehouse/roles/superuser_limits.py.
    """

    name: str
    connections: int
    settings: Mapping[str, str]
    limits: Mapping[str, str]

    def missing(self, wanted: Mapping[str, str], present: Collection[str]) -> list[str]:
        """Return the statements for wanted settings or limits that are not `present`, each as name=value."""
        # The role's name needs no quotes.
        return [
            f"alter role {self.name} set {name} = '{value}'"
            for name, value in wanted.items()
            if f"{name}={value}" not in present
        ]


def _settings(*, statement: str, idle: str) -> Mapping[str, str]:
    return {
        "default_transaction_read_only": "on",
        "statement_timeout": statement,
        "idle_in_transaction_session_timeout": idle,
        "search_path": MARTS,
    }


def _limits(*, temporary_files: str) -> Mapping[str, str]:
    """Return the limits of one connection. Each of its parallel server processes has the same limit again.

    `temporary_files` bounds sorts and joins that outgrow their memory. Without it one query fills the disk, and a full
    disk ends the server. A reader's errors stay out of the server's log: a text can be a gigabyte long.
    """
    return {"temp_file_limit": temporary_files, "log_min_messages": "fatal"}


# A dashboard that needs more connections or time is broken, and must not delay the pipeline. A query over a year of
# 30,000 assets sorts some 200 MB (2026-11).
BI_READER: Final = Reader("bi_reader", 30, _settings(statement="5min", idle="10min"), _limits(temporary_files="1GB"))


@dataclass(frozen=True, slots=True)
class Audience:
    """A group of readers that see only their own rows: creators or brands. `name` stands in `meta: {portal: ...}`."""

    name: str

    @property
    def portal(self) -> Reader:
        """The login of the product's own server, which names a creator or brand in each transaction."""
        # Two servers with a pool of 10 each, and pages within 30 s. All readers together leave a quarter of the 100
        # connections that Postgres has by default.
        settings, limits = _settings(statement="30s", idle="1min"), _limits(temporary_files="256MB")
        return Reader(f"{self.name}_portal", 20, settings, limits)

    @property
    def setting(self) -> str:
        """The setting by which the portal names the creator or brand."""
        return f"app.{self.name}_id"

    @property
    def group(self) -> str:
        """The role without login that has every login of a single creator or brand as a member."""
        return f"{self.name}_login"

    @property
    def lookup(self) -> str:
        """The function that returns the creator or brand of this session's login."""
        return f"{ACCESS}.{self.name}_of_session"

    def login(self, name: str) -> Reader:
        """Return the role of a login of one creator or brand."""
        return Reader(name, 5, _settings(statement="1min", idle="1min"), _limits(temporary_files="256MB"))


CREATORS: Final = Audience("creator")
BRANDS: Final = Audience("brand")
AUDIENCES: Final = (CREATORS, BRANDS)
# The roles with a password.
READERS: Final = (BI_READER, CREATORS.portal, BRANDS.portal)
GROUPS: Final = tuple(audience.group for audience in AUDIENCES)
# The roles that see rows by policy; they may not read a table without policies.
POLICED: Final = (*(audience.portal.name for audience in AUDIENCES), *GROUPS)
# The roles that get rights on schema marts.
ALL_READERS: Final = (BI_READER.name, *POLICED)
