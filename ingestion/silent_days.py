"""Days on which nothing happened, as a person has declared them: without that, a day that has no event and was never
published is taken for one whose events are missing (check day_has_events).
"""

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    # schema.py takes the DDL from here, and is imported where no database is.
    import psycopg

DDL: Final = """
create table if not exists ops.silent_days (
    event_date date primary key,
    reason text not null,
    name text not null,
    declared_at timestamptz not null default clock_timestamp()
);
comment on table ops.silent_days is
    'Event days that a person has declared to be without events: they are published as empty.';
"""


class InvalidDeclaration(Exception):
    """A day that cannot be declared silent; the message says why."""


def declare(connection: "psycopg.Connection", day: date, *, reason: str, name: str, first_day: date) -> None:
    """Declare that a day had no events, in one transaction.

    Args:
        connection: The warehouse, as its owner.
        day: The event day, UTC. It has to be over, and no earlier than `first_day`.
        reason: Why nothing happened on it; no blank text.
        name: Who says so; no blank text.
        first_day: The first event day of the warehouse.

    Raises:
        InvalidDeclaration: The day has events, is not over, is before the first day, or was declared before; or the
            reason or the name is missing.
    """
    said = {"a reason": reason.strip(), "a name": name.strip()}
    for what, text in said.items():
        if not text:
            raise InvalidDeclaration(f"{day} was not declared silent: give {what}, which is kept with the day")
    if day < first_day:
        raise InvalidDeclaration(
            f"{day} was not declared silent: the warehouse begins with {first_day} (WAREHOUSE_START_DATE)"
        )
    if day >= datetime.now(UTC).date():
        raise InvalidDeclaration(f"{day} was not declared silent: the day is not over, in UTC")
    with connection.transaction(), connection.cursor() as cursor:
        found = cursor.execute("select count(*) from raw.events where event_date = %s", [day]).fetchone()
        if found and found[0]:
            raise InvalidDeclaration(f"{day} was not declared silent: raw.events has {found[0]:,} events of the day")
        cursor.execute(
            "insert into ops.silent_days (event_date, reason, name) values (%s, %s, %s) on conflict do nothing",
            [day, *said.values()],
        )
        if cursor.rowcount == 0:
            before = cursor.execute(
                "select name, reason, to_char(declared_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI')"
                " from ops.silent_days where event_date = %s",
                [day],
            ).fetchone()
            who, why, when = before or ("", "", "")
            raise InvalidDeclaration(f"{day} is declared silent already, by {who} at {when} UTC: {why}")
