"""Plan of a backfill: the chunks of a range that are still to run, and the days that hold a chunk back."""

from collections.abc import Set
from datetime import date

import psycopg

from publishing import stale_days
from publishing.model_versions import ProjectVersion
from warehouse.single_values import value_of
from warehouse.window import Window


def days_to_run(connection: psycopg.Connection, window: Window, *, project: ProjectVersion) -> set[date]:
    """Return the days of the window that are not published, or stale."""
    stale = {day.event_date for day in stale_days.stale_days(connection, project=project, before=window.end)}
    return set(window.days()) - (stale_days.published_days(connection) - stale)


def chunks(
    connection: psycopg.Connection,
    window: Window,
    *,
    project: ProjectVersion,
    at_most: int,
    besides: Set[date] = frozenset(),
) -> list[Window]:
    """Return windows of at most so many days that hold the days of the window to run, oldest first.

    They hold no other days, and none that is among `besides`.
    """
    days = days_to_run(connection, window, project=project) - besides
    return [chunk for found in stale_days.windows_of(days) for chunk in found.chunks(at_most)]


def days_to_hold_back(connection: psycopg.Connection, window: Window) -> set[date]:
    """Return the days of a window whose blocking checks or files have failed."""
    return (stale_days.refused_days(connection) | stale_days.waiting_days(connection)).intersection(window.days())


def without(window: Window, days: Set[date]) -> list[Window]:
    """Return the rest of a window without these days, as few windows as possible."""
    return stale_days.windows_of(set(window.days()) - days)


def stored_events(connection: psycopg.Connection, window: Window) -> int:
    """Return the number of stored events of a window."""
    query = "select count(*) from raw.events where event_date >= %s and event_date < %s"
    return int(value_of(connection, query, [window.start, window.end]))
