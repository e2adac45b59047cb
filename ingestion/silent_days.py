"""Declared silent days: days without events that a person has confirmed.

Without a declaration, check day_has_events treats a day without events that was never published as incomplete.
"""

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Final

from warehouse import retention
from warehouse.single_values import value_of

if TYPE_CHECKING:
    # schema.py imports this module's DDL, also in environments without psycopg.
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
    """Declare that a day had no events, in one transaction, for this reason and by the person of this name.

    Raises InvalidDeclaration when the day has events, is not over, is before the first day, is sealed, or was declared
    before, and when the reason or the name is missing.
    """
    given = {"a reason": reason.strip(), "a name": name.strip()}
    for missing, text in given.items():
        if not text:
            raise InvalidDeclaration(f"{day} was not declared silent: give {missing}, which is kept with the day")
    if day < first_day:
        raise InvalidDeclaration(
            f"{day} was not declared silent: the warehouse begins with {first_day} (WAREHOUSE_START_DATE)"
        )
    if day >= datetime.now(UTC).date():
        raise InvalidDeclaration(f"{day} was not declared silent: the day is not over, in UTC")
    with connection.transaction(), connection.cursor() as cursor:
        first_unsealed = retention.sealed_before(cursor)
        if first_unsealed is not None and day < first_unsealed:
            raise InvalidDeclaration(
                f"{day} was not declared silent: the day is sealed (older than WAREHOUSE_RETENTION_DAYS), and no sealed"
                f" day is published again. The first day that is not sealed is {first_unsealed}"
            )
        if events := value_of(cursor, "select count(*) from raw.events where event_date = %s", [day]):
            raise InvalidDeclaration(f"{day} was not declared silent: raw.events has {events:,} events of the day")
        cursor.execute(
            "insert into ops.silent_days (event_date, reason, name) values (%s, %s, %s) on conflict do nothing",
            [day, *given.values()],
        )
        if cursor.rowcount == 0:
            before = cursor.execute(
                "select name, reason, to_char(declared_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI')"
                " from ops.silent_days where event_date = %s",
                [day],
            ).fetchone()
            declarer, earlier_reason, declared_at = before or ("", "", "")
            raise InvalidDeclaration(
                f"{day} is declared silent already, by {declarer} at {declared_at} UTC: {earlier_reason}"
            )
