"""The record of what schema build holds: which build wrote a day, from which state of raw, and if it ended well."""

from collections.abc import Callable, Iterable

import psycopg
from psycopg import sql

from publishing import build_steps, invalidation, last_build, stale_days
from warehouse.window import Window
from warehouse.writer_lock import assert_writer


def begin(connection: psycopg.Connection, window: Window, *, build_id: str, model_version: str) -> None:
    """Before the first model of a build: its days are being written, from raw as it is now."""
    is_rerun = stale_days.nothing_is_stale(connection, window, model_version=model_version)
    with connection.transaction(), connection.cursor() as cursor:
        assert_writer(cursor, build_id)
        cursor.execute(
            """
            insert into ops.built_days (event_date, build_id, change_id, model_version, is_complete)
            select %(start)s::date + n, %(build_id)s, ops.last_change_id(), %(model_version)s, false
            from generate_series(0, %(end)s::date - %(start)s::date - 1) as n
            on conflict (event_date) do update
            set build_id = excluded.build_id, change_id = excluded.change_id, model_version = excluded.model_version,
                is_complete = false, built_at = excluded.built_at
            """,
            {"build_id": build_id, "model_version": model_version, "start": window.start, "end": window.end},
        )
        last_build.record(cursor, window, build_id=build_id, model_version=model_version, is_rerun=is_rerun)


def complete(
    connection: psycopg.Connection, window: Window, *, build_id: str, log: Callable[[str], None] = lambda _: None
) -> None:
    """After the last model and test of a build have passed: its days may be judged and published, and days that looked
    back at what has changed in it are stale."""
    invalidation.spread(connection, window)
    build_steps.refit(connection, build_id=build_id, log=log)
    with connection.transaction(), connection.cursor() as cursor:
        assert_writer(cursor, build_id)
        cursor.execute(
            "update ops.built_days set is_complete = true, built_at = clock_timestamp()"
            " where event_date >= %s and event_date < %s and build_id = %s",
            [window.start, window.end, build_id],
        )


class IncompleteRebuild(Exception):
    """A rebuild was asked for days that are not all of the published ones."""


def clear(connection: psycopg.Connection, window: Window, tables: Iterable[tuple[str, str]], *, build_id: str) -> None:
    """Drop the tables (schema, name) that dbt owns, so that a build of the window makes them anew.

    BI does not read them. Raises IncompleteRebuild, and drops nothing, when days outside the window are published:
    they could not be built from the new tables.
    """
    with connection.transaction(), connection.cursor() as cursor:
        assert_writer(cursor, build_id)
        cursor.execute("select min(event_date), max(event_date) from ops.published_days")
        first, last = cursor.fetchone() or (None, None)
        if first is not None and not (first in window and last in window):
            raise IncompleteRebuild(
                f"a rebuild covers every published day, {first} to {last}, but was asked for {window}; nothing was"
                " dropped. Choose at least these days as the range of the job"
            )
        for schema, name in tables:
            # The views that read them are made anew with them.
            cursor.execute(sql.SQL("drop table if exists {} cascade").format(sql.Identifier(schema, name)))
        cursor.execute("update ops.built_days set is_complete = false")
        # What later loads change could not be traced through tables that are gone, should this run die.
        cursor.execute(
            """
            insert into ops.stale_day_marks (event_date, layer, reason, change_id)
            select event_date, 'events', 'rebuild', ops.last_change_id() from ops.published_days
            on conflict (event_date, layer, reason) do update set change_id = excluded.change_id
            """
        )
