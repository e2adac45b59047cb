"""Checks of days without events. Nothing happened, or nothing arrived: a person has to decide which."""

from typing import Any, Final

import psycopg

from quality_checks.outcome import Finding, Severity, finding, finding_by_day
from quality_checks.queries import rows_of
from quality_checks.registry import check
from warehouse.window import Window

_EMPTY_DAYS: Final = """
select
    day as metric_date,
    (select count(*) from ops.loads where landing_date = day and replaced_by is null) as landing_files,
    (select coalesce(sum(lines_read), 0) from ops.loads where landing_date = day and replaced_by is null) as lines_read
from (select %(start)s::date + n as day from generate_series(0, %(end)s::date - %(start)s::date - 1) as n) as days
-- Asked day by day, so that the partitions of no other days are read.
where (select 1 from raw.events where event_date = day limit 1) is null
    and exists (select from ops.published_days where event_date = day) = %(was_published)s
    and not exists (select from ops.silent_days where event_date = day)
order by day
"""
# Shown with the failed check.
WHAT_TO_DO: Final = (
    "Load the files of these days and run them again. If nothing has happened on a day, declare it with the job"
    " declare_silent_day, or with `warehouse declare-silent-day DAY --reason ... --name ...`, and run it"
    " again. To publish the other days of the range, run these alone."
)


@check("raw/events")
def day_has_events(connection: psycopg.Connection, window: Window) -> Finding:
    """Every day has an accepted event, was published before, or is declared to be silent.

    A day without events would be published as zeros, and every period would end with it, although its files may only be
    late. A sample row has the number of the day's loaded landing files, and of their lines.
    """
    shown = _empty_days(connection, window, was_published=False)
    observed = {"days_without_events": len(shown)} | ({"what_to_do": WHAT_TO_DO} if shown else {})
    return finding_by_day(observed, shown)


@check("raw/events", severity=Severity.WARNING)
def published_days_have_events(connection: psycopg.Connection, window: Window) -> Finding:
    """No day that was published before has lost all of its events.

    A corrected file or an erasure can remove the last ones; such a day is published as empty. Days that are declared to
    be silent are left out.
    """
    emptied = _empty_days(connection, window, was_published=True)
    return finding({"days_emptied": len(emptied)}, emptied, (row["metric_date"] for row in emptied))


def _empty_days(connection: psycopg.Connection, window: Window, *, was_published: bool) -> list[dict[str, Any]]:
    return rows_of(connection, _EMPTY_DAYS, window, was_published=was_published)
