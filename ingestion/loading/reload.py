"""Reloading of landing days that were loaded under other rules than today's, each in a transaction of its own.

A new rule does not change stored rows until a reload is asked for. Rows are replaced the way a corrected file replaces
its rows, so that only event days whose rows differ become stale.
"""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import psycopg

from ingestion.encryption.props import PropEncryption
from ingestion.event_rules import EventRules, default_rules
from ingestion.landing.files import LandingRoot
from ingestion.loading.landing_day import LoadReport, load_days
from ingestion.rules_digest import rules_digest
from warehouse.window import Window


def reload_window(
    connection: psycopg.Connection,
    *,
    root: LandingRoot | Path,
    window: Window,
    start_date: date,
    encryption: PropEncryption | None = None,
    rules: EventRules | None = None,
    on_day: Callable[[LoadReport], None] | None = None,
    on_progress: Callable[[str], None] | None = None,
    processes: int | None = None,
) -> list[LoadReport]:
    """Load those landing days of the window again that have loads under other rules, oldest first.

    Of such a day the files whose rules differ are loaded again, even if their content has not changed, and so are files
    that arrived meanwhile. Files that are missing keep their rows; the reports name them as `outdated`. Stopping at any
    point loses nothing: the next call continues with the days that are left. Arguments and errors as in load_window.
    """
    rules = rules or default_rules()
    digest = rules_digest(rules=rules, start_date=start_date, encryption=encryption)
    return load_days(
        connection,
        outdated_landing_days(connection, window, digest),
        root=root,
        start_date=start_date,
        encryption=encryption,
        rules=rules,
        on_day=on_day,
        on_progress=on_progress,
        processes=processes,
        is_reload=True,
    )


def outdated_landing_days(connection: psycopg.Connection, window: Window, digest: str) -> list[date]:
    """Return the landing days of the window with a load under other rules than those of this digest, oldest first."""
    rows = connection.execute(
        "select distinct landing_date from ops.loads where replaced_by is null and landing_date >= %s"
        " and landing_date < %s and rules_digest is distinct from %s order by landing_date",
        [window.start, window.end, digest],
    )
    return [day for (day,) in rows]
