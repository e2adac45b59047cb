"""The record of the build whose weeks, months and periods are in schema build.

Days stand there side by side, each from its own build. What is coarser was made for one window, together with what was
published then, and fits no other one.
"""

from typing import Final

import psycopg

from warehouse.locks import AdvisoryLock
from warehouse.window import Window

_DDL: Final = """
create table if not exists ops.last_build (
    only_row boolean primary key default true check (only_row),
    build_id text not null,
    window_start date not null,
    window_end date not null,
    is_full_rebuild boolean not null
);
do $$ begin
    -- Not "add column if not exists", which waits for every build that is running.
    if not exists (
        select from pg_attribute where attrelid = 'ops.last_build'::regclass and attname = 'is_rerun'
    ) then
        alter table ops.last_build add column is_rerun boolean not null default false;
    end if;
    if exists (
        select from pg_attribute where attrelid = 'ops.last_build'::regclass and attname = 'starts_anew'
    ) then
        alter table ops.last_build rename column starts_anew to is_full_rebuild;
    end if;
end $$;
comment on table ops.last_build is
    'The build whose weeks, months and periods are in schema build; whether it made anew what is otherwise carried on
from what is published, and whether nothing had changed since what is published was made.';
"""


def create(connection: psycopg.Connection) -> None:
    """Create the table where it is missing; schema ops is there."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s)", [AdvisoryLock.LAST_BUILD_DDL])
        cursor.execute(_DDL)


def record(
    cursor: psycopg.Cursor, window: Window, *, build_id: str, model_version: str, is_rerun: bool = False
) -> None:
    """A build begins. What is carried on from publication to publication (visitors_by_period) it makes anew when
    nothing is published that it could go on from, and when the models have changed since. It is a rerun when nothing
    has changed at all since its days were published."""
    cursor.execute(
        """
        insert into ops.last_build as last (build_id, window_start, window_end, is_rerun, is_full_rebuild)
        select %(build_id)s, %(start)s, %(end)s, %(is_rerun)s,
            not exists (select from ops.published_days where not (event_date >= %(start)s and event_date < %(end)s))
            or %(model_version)s <> (
                select model_version from ops.published_days order by published_at desc, event_date desc limit 1
            )
        on conflict (only_row) do update
        set build_id = excluded.build_id, window_start = excluded.window_start, window_end = excluded.window_end,
            is_rerun = excluded.is_rerun, is_full_rebuild = excluded.is_full_rebuild
        """,
        {
            "build_id": build_id,
            "model_version": model_version,
            "start": window.start,
            "end": window.end,
            "is_rerun": is_rerun,
        },
    )


class WindowMismatch(Exception):
    """The weeks, months and periods in schema build are not those of the window."""


def is_full_rebuild(cursor: psycopg.Cursor, window: Window) -> bool:
    """Whether the last build, which has to be one for this window and of all its days, made anew what is otherwise
    carried on. Raises WindowMismatch."""
    last = cursor.execute(
        """
        select is_full_rebuild from ops.last_build as last
        where (window_start, window_end) = (%(start)s, %(end)s) and not exists (
            select from ops.built_days as built
            where built.event_date >= %(start)s and built.event_date < %(end)s and built.build_id <> last.build_id
        )
        """,
        {"start": window.start, "end": window.end},
    ).fetchone()
    if last is None:
        raise WindowMismatch(
            "its weeks, months and periods are those of another build by now. Run the whole chain for these days (job"
            " daily_refresh)"
        )
    return bool(last[0])


def is_rerun(cursor: psycopg.Cursor) -> bool:
    """Whether nothing had changed, when the last build began, since what is published was made."""
    found = cursor.execute("select is_rerun from ops.last_build").fetchone()
    return bool(found and found[0])
