"""Logins of creators and brands at the dashboard server: whose rows each of them sees, in a table of the metadata."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import text
from superset import db

TABLE: Final = "warehouse_logins"
_DDL: Final = f"""
create table if not exists {TABLE} (
    username varchar(64) primary key,
    audience varchar(16) not null,
    owner_id text not null
)
"""


@dataclass(frozen=True, slots=True)
class PortalLogin:
    """A login and the creator or brand that it belongs to."""

    username: str
    audience: str
    owner_id: str


def create_table() -> None:
    """Create the table where it is missing."""
    db.session.execute(text(_DDL))
    db.session.commit()


def find(username: str) -> PortalLogin | None:
    """Return the creator or brand of a login; None for logins of the team."""
    row = db.session.execute(
        text(f"select username, audience, owner_id from {TABLE} where username = :username"), {"username": username}
    ).first()
    return None if row is None else PortalLogin(*row)


def add(login: PortalLogin) -> None:
    """Record a login. It takes effect with its user, which is created afterwards."""
    db.session.execute(
        text(f"insert into {TABLE} (username, audience, owner_id) values (:username, :audience, :owner_id)"),
        {"username": login.username, "audience": login.audience, "owner_id": login.owner_id},
    )
    db.session.commit()


def remove(username: str) -> None:
    """Take the record of a login away."""
    db.session.execute(text(f"delete from {TABLE} where username = :username"), {"username": username})
    db.session.commit()


def listed() -> list[PortalLogin]:
    """Return all of them by name."""
    rows = db.session.execute(text(f"select username, audience, owner_id from {TABLE} order by username"))
    return [PortalLogin(*row) for row in rows]
