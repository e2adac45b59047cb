"""The roles that read schema marts, declared: for whom each is and what limits it. Creating them is in creation.py,
what they may see of a mart in policies.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

MARTS: Final = "marts"
# What is published with the marts for the pipeline alone; nobody else enters it.
PUBLISHED: Final = "published"
# In the place of the column that says whose a row is: nobody's, and for every portal to see.
EVERY_ROW: Final = "*"
# Which login belongs to which creator or brand; nobody but the owner reads it.
ACCESS: Final = "access"


@dataclass(frozen=True, slots=True)
class Reader:
    """A role that reads marts and nothing else: how many connections it may hold, and its settings at their start.

    Whoever has SQL can change a setting of their own session: settings keep mistakes small, and stop nobody. Limits are
    settings that only a superuser may change, so they hold: see limits.py.
    """

    name: str
    connections: int
    settings: Mapping[str, str]
    limits: Mapping[str, str]


def _settings(*, statement: str, idle: str) -> Mapping[str, str]:
    return {
        "default_transaction_read_only": "on",
        "statement_timeout": statement,
        "idle_in_transaction_session_timeout": idle,
        "search_path": MARTS,
    }


def _limits(*, temporary_files: str) -> Mapping[str, str]:
    """The limits of one connection; a server process that works for it in parallel has the same limit once more.

    `temporary_files` bounds sorts and joins that outgrow their memory. Without it one query fills the disk, and a full
    disk ends the server. An error of a reader stays out of the server's log: its text can be a gigabyte long.
    """
    return {"temp_file_limit": temporary_files, "log_min_messages": "fatal"}


# A dashboard that asks more than this at once or for longer is broken, and must not hold up the pipeline. A question
# over a year of 30,000 assets sorts some 200 MB (2026-11).
BI_READER: Final = Reader("bi_reader", 30, _settings(statement="5min", idle="10min"), _limits(temporary_files="1GB"))


@dataclass(frozen=True, slots=True)
class Audience:
    """Those who see only what is theirs. `name` is what the marts' contracts call them, in `meta: {portal: ...}`."""

    name: str

    @property
    def portal(self) -> Reader:
        """The login of the product's own server, which says in each transaction for whom it asks."""
        # Two servers with a pool of 10 each; nobody waits longer than 30 s for a page. All readers together leave a
        # quarter of the 100 connections that Postgres has by default.
        settings, limits = _settings(statement="30s", idle="1min"), _limits(temporary_files="256MB")
        return Reader(f"{self.name}_portal", 20, settings, limits)

    @property
    def setting(self) -> str:
        """By which the portal says for whom it asks."""
        return f"app.{self.name}_id"

    @property
    def group(self) -> str:
        """The role, no login itself, of which every login of a single creator or brand is a member."""
        return f"{self.name}_login"

    @property
    def lookup(self) -> str:
        """The function that tells whose login this session is."""
        return f"{ACCESS}.{self.name}_of_session"

    def login(self, name: str) -> Reader:
        """A login of one creator or brand."""
        return Reader(name, 5, _settings(statement="1min", idle="1min"), _limits(temporary_files="256MB"))


CREATORS: Final = Audience("creator")
BRANDS: Final = Audience("brand")
AUDIENCES: Final = (CREATORS, BRANDS)
# Those with a password of their own, and all to which rights are given.
READERS: Final = (BI_READER, CREATORS.portal, BRANDS.portal)
GROUPS: Final = tuple(audience.group for audience in AUDIENCES)
# Rows are theirs by policy, so a table without policies is none of theirs.
POLICED: Final = (*(audience.portal.name for audience in AUDIENCES), *GROUPS)
ALL_READERS: Final = (BI_READER.name, *POLICED)
