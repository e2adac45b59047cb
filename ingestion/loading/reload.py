"""Landing days that were loaded under other rules → the same days under today's, each in a transaction of its own.

A new rule changes nothing of what is loaded: what was stored stays as it was, until somebody asks for it here. Rows are
replaced the way a corrected file replaces its rows, so only event days whose rows come out otherwise become stale.
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
    tell: Callable[[str], None] | None = None,
    processes: int | None = None,
) -> list[LoadReport]:
    """Load those landing days of the window again that have loads under other rules, oldest first.

    Of such a day the files whose rules differ are loaded anew, whether their content has changed or not, and so is what
    arrived meanwhile. Files that are gone keep their rows; the reports name them as `outdated`. Stopping at any point
    loses nothing: the next call goes on with the days that are left. Takes `tell`, and raises, as load_window does.
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
        tell=tell,
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
