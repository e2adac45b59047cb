"""Summary at the end of `make demo`: loaded files, checks, published numbers, and next commands."""

from typing import TYPE_CHECKING, Any, Final

from orchestration.reports.place import default_path
from warehouse.connection import Warehouse
from warehouse.window import ONE_DAY, Window

if TYPE_CHECKING:
    import psycopg

SHOWN_DAYS: Final = 7

_PUBLISHED: Final = """
select count(*), min(event_date), max(event_date)
from ops.published_days where event_date >= %(start)s and event_date < %(end)s
"""
# Counts by landing day, whatever the day of the events.
_LOADED: Final = """
select count(*), coalesce(sum(lines_read), 0), coalesce(sum(accepted), 0), coalesce(sum(rejected), 0),
    coalesce(sum(duplicates), 0), coalesce(sum(not_tracked), 0)
from ops.loads where replaced_by is null and landing_date >= %(start)s and landing_date < %(end)s
"""
_LOAD_COUNTS: Final = ("files", "rows in", "accepted", "rejected", "duplicates", "not tracked")
_CHECKS: Final = """
select check_name, bool_and(is_passed), bool_or(severity = 'error')
from ops.check_results
where build_id in (
    select build_id from ops.published_days where event_date >= %(start)s and event_date < %(end)s
)
group by check_name order by check_name
"""
# Executed as bi_reader, which may read marts only.
_NUMBERS: Final = """
select metric_date, sum(views), sum(clicks), sum(conversions), cast(sum(revenue_cents) as bigint)
from marts.daily_metrics where metric_date >= %(start)s and metric_date < %(end)s
group by metric_date order by metric_date
"""


def summary(connection: "psycopg.Connection", warehouse: Warehouse, window: Window) -> str:
    """Return the summary. Numbers are read through the BI login, the rest through the owner's `connection`."""
    bounds = {"start": window.start, "end": window.end}
    last_days = {"start": window.end - SHOWN_DAYS * ONE_DAY, "end": window.end}
    published = connection.execute(_PUBLISHED, bounds).fetchone() or (0, None, None)
    loaded = connection.execute(_LOADED, bounds).fetchone() or ()
    checks = connection.execute(_CHECKS, bounds).fetchall()
    lines = ["", f"days published   {published[0]:,} ({published[1]} to {published[2]})"]
    lines += [f"{name:<16} {count:,}" for name, count in zip(_LOAD_COUNTS, loaded, strict=True)]
    lines += [_checks(checks), ""]
    if warehouse.bi_password:
        with warehouse.connect_to(warehouse.bi_dsn) as reader:
            lines += _table(reader.execute(_NUMBERS, last_days).fetchall())
    else:
        lines.append("the password of bi_reader is not known here: set WAREHOUSE_BI_PASSWORD")
    lines += ["", "Dagster          make ui", f"BI tools         {warehouse.bi_dsn}", "stop it all      make stop"]
    if default_path().exists():
        lines += ["", f"the report       {default_path()}", "                 open it in a browser"]
    return "\n".join(lines)


def _checks(checks: list[tuple[Any, ...]]) -> str:
    passed = sum(is_passed for _, is_passed, _ in checks)
    failed = [f"{name} ({'failed' if blocks else 'a warning'})" for name, is_passed, blocks in checks if not is_passed]
    return f"{'checks passed':<16} {passed} of {len(checks)}" + (f"; not: {', '.join(failed)}" if failed else "")


def _table(rows: list[tuple[Any, ...]]) -> list[str]:
    line = "{:<12}{:>10}{:>10}{:>13}{:>14}"
    lines = [line.format("day", "views", "clicks", "conversions", "revenue")]
    lines += [_row(line, day, *numbers) for day, *numbers in rows]
    totals = [sum(column) for column in zip(*(row[1:] for row in rows), strict=True)]
    return [*lines, _row(line, f"{len(rows)} days", *totals)] if rows else ["no numbers are published"]


def _row(line: str, label: object, views: int, clicks: int, conversions: int, cents: int) -> str:
    return line.format(
        str(label), f"{views:,}", f"{clicks:,}", f"{conversions:,}", f"{cents // 100:,}.{cents % 100:02d}"
    )
