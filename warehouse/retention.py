"""Sealed days: event days older than WAREHOUSE_RETENTION_DAYS, whose published numbers no longer change.

Table ops.retention holds the first day that is not sealed. It only moves forward, also when the setting is raised or
removed. Everything that asks whether a day is sealed asks `sealed_before`, or in SQL ops.sealed_before().
"""

from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from warehouse.window import Window, monday_of

if TYPE_CHECKING:
    # schema.py imports this module's DDL, also in environments without psycopg.
    import psycopg

# Shorter, and days would be sealed before their last events have arrived.
MIN_DAYS: Final = 30

# The first day that is not sealed, for views: readers of a view have no right to run a function of schema ops.
SEALED_BEFORE: Final = "coalesce((select sealed_before from ops.retention), '-infinity')"

DDL: Final = f"""
create table if not exists ops.retention (
    only_row boolean primary key default true check (only_row),
    sealed_before date not null,
    visitor_days_from date not null,
    sealed_at timestamptz not null default clock_timestamp()
);
comment on table ops.retention is
    'Sealed days: their published numbers stay, and events for them are rejected. No row while no day is sealed.';
comment on column ops.retention.sealed_before is 'The first day that is not sealed. It only moves forward.';
comment on column ops.retention.visitor_days_from is
    'The first day of which rollups.visitor_active_days and rollups.visitor_asset_days hold every row.';

create table if not exists ops.retention_progress (
    relation text primary key,
    dropped_before date not null
);
comment on table ops.retention_progress is
    'How far the rows of sealed days have been dropped from each table: those of days before dropped_before.';

do $$ begin
    -- Replaced only where it is missing: views depend on it, and a replacement waits for their readers.
    if to_regprocedure('ops.sealed_before()') is null then
        create function ops.sealed_before() returns date language sql stable
        return {SEALED_BEFORE};
        comment on function ops.sealed_before() is 'The first day that is not sealed; -infinity while no day is.';
    end if;
end $$;
"""


class SealedDays(Exception):
    """Every day that was asked for is sealed; the message says which, and what to do."""


def sealed_before(connection: "psycopg.Connection | psycopg.Cursor") -> date | None:
    """Return the first day that is not sealed; None while no day is."""
    found = connection.execute("select sealed_before from ops.retention").fetchone()
    return found[0] if found else None


def visitor_days_from(first_unsealed: date) -> date:
    """Return the first day whose week or month is not wholly sealed: they count distinct visitors of their days."""
    return min(monday_of(first_unsealed), first_unsealed.replace(day=1))


def boundary(today: date, retention_days: int) -> date:
    """Return the first day that is not older than so many days."""
    return today - timedelta(days=retention_days)


def seal(connection: "psycopg.Connection", first_unsealed: date) -> date:
    """Seal all days before this one, in one transaction. Return the first day that is not sealed now.

    A boundary that was later before stays. Sealed days lose what marks them as stale: their numbers stay as they
    are published. Run it while holding the warehouse, so that no run is in the midst of a day that becomes sealed.
    """
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("select ops.assert_writer()")
        cursor.execute(
            """
            insert into ops.retention as kept (sealed_before, visitor_days_from) values (%s, %s)
            on conflict (only_row) do update
            set sealed_before = excluded.sealed_before, visitor_days_from = excluded.visitor_days_from,
                sealed_at = excluded.sealed_at
            where kept.sealed_before < excluded.sealed_before
            """,
            [first_unsealed, visitor_days_from(first_unsealed)],
        )
        # What no later build reads: marks of stale days, and which build last wrote a day.
        cursor.execute("delete from ops.stale_day_marks where event_date < ops.sealed_before()")
        cursor.execute("delete from ops.built_days where event_date < ops.sealed_before()")
        return sealed_before(cursor) or first_unsealed


def unsealed(window: Window, first_unsealed: date | None) -> Window | None:
    """Return the part of a window that is not sealed; None when all of it is."""
    if first_unsealed is None or first_unsealed <= window.start:
        return window
    return None if first_unsealed >= window.end else Window(first_unsealed, window.end)


def require_unsealed(window: Window, first_unsealed: date | None) -> Window:
    """Return the part of a window that is not sealed. Raises SealedDays when all of it is."""
    rest = unsealed(window, first_unsealed)
    if rest is None:
        raise SealedDays(
            f"every day of {window} is sealed (older than WAREHOUSE_RETENTION_DAYS): its published numbers stay, and"
            f" nothing was changed. Choose days from {first_unsealed} on"
        )
    return rest


def sealed_part_in_words(window: Window, rest: Window) -> str:
    """Return a sentence on the sealed days of a window, of which `rest` is not sealed."""
    return (
        f"{Window(window.start, rest.start)} is sealed (older than WAREHOUSE_RETENTION_DAYS): its published numbers"
        f" stay; only {rest} is run"
    )
