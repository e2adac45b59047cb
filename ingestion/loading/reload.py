"""Reloading of landing days that were loaded under other rules than today's, each in a transaction of its own.

A new rule does not change stored rows until a reload is asked for. Rows are replaced the way a corrected file replaces
its rows, so that only event days whose rows differ become stale.
"""

from datetime import date
from typing import Unpack

import psycopg

from ingestion.loading.landing_day import LoadOptions, LoadReport, load_days
from ingestion.rules_digest import rules_digest
from ingestion.validation_lists import default_rules
from warehouse.window import Window


def reload_window(
    connection: psycopg.Connection, *, window: Window, **options: Unpack[LoadOptions]
) -> list[LoadReport]:
    """Load those landing days of the window again that have loads under other rules, oldest first.

    Of such a day the files whose rules differ are loaded again, even if their content has not changed, and so are files
    that arrived meanwhile. Files that are missing keep their rows; the reports name them as `outdated`. Stopping at any
    point loses nothing: the next call continues with the days that are left. Options and errors as in load_window.
    """
    digest = rules_digest(
        rules=options.get("rules") or default_rules(),
        start_date=options["start_date"],
        encryption=options.get("encryption"),
    )
    return load_days(connection, outdated_landing_days(connection, window, digest), is_reload=True, **options)


def outdated_landing_days(connection: psycopg.Connection, window: Window, digest: str) -> list[date]:
    """Return the landing days of the window with a load under other rules than those of this digest, oldest first.

    Sealed landing days are left out.
    """
    rows = connection.execute(
        "select distinct landing_date from ops.loads where replaced_by is null and landing_date >= %s"
        " and landing_date < %s and landing_date >= ops.sealed_before() and rules_digest is distinct from %s"
        " order by landing_date",
        [window.start, window.end, digest],
    )
    return [day for (day,) in rows]
