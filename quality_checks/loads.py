"""Conservation checks of loads: the counts of ops.loads for a window, compared with the rows of schema raw.

Every check reads the window's days, and beyond them only what its docstring names. Nothing is written, and no
transaction is ended.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

import psycopg

from quality_checks.outcome import Finding, Severity, finding
from quality_checks.queries import rows_of
from quality_checks.registry import check
from warehouse.window import ONE_DAY, Window

# Of healthy sources about 1 % of the lines are rejected (2026-11). A tracker's release that breaks one event type moves
# the share far past 5 %. A warning, because rejected lines are kept and can be replayed.
MAX_REJECTED_SHARE: Final = 0.05

# raw.events has no index on load_id: the days to read are taken from ops.loads first, and the planner reads only their
# partitions. The two side tables are read by load.
_LOADS: Final = """
select load_id, landing_date, file, lines_read, accepted, rejected, duplicates, not_tracked, erased, event_dates,
    replaced_by, dropped_accepted, dropped_rejected, dropped_duplicates
from ops.loads
where (landing_date >= %(start)s and landing_date < %(end)s) or event_dates && %(days)s::date[]
order by load_id
"""

_ROWS: Final = """
with
events as (
    select load_id,
        cast(sum(event_rows) as bigint) as event_rows,
        cast(sum(event_rows) filter (where event_date >= ops.sealed_before()) as bigint) as unsealed_event_rows,
        array_agg(event_date) as event_days
    from (
        select load_id, event_date, count(*) as event_rows
        from raw.events
        where event_date = any(%(event_dates)s::date[])
        group by load_id, event_date
    ) as load_days
    group by load_id
),
side_rows as (
    select loads.load_id, rejected.*, duplicates.*
    from unnest(%(load_ids)s::bigint[]) as loads (load_id)
    cross join lateral (
        select count(*) as rejected_rows,
            count(*) filter (where event_date is null or event_date >= ops.sealed_before()) as unsealed_rejected_rows
        from raw.rejected_events where load_id = loads.load_id
    ) as rejected
    cross join lateral (
        select count(*) as duplicate_rows,
            count(*) filter (where event_date >= ops.sealed_before()) as unsealed_duplicate_rows
        from raw.duplicate_events where load_id = loads.load_id
    ) as duplicates
)
select load_id,
    event_days,
    coalesce(event_rows, 0) as event_rows,
    coalesce(rejected_rows, 0) as rejected_rows,
    coalesce(duplicate_rows, 0) as duplicate_rows,
    coalesce(unsealed_event_rows, 0) as unsealed_event_rows,
    coalesce(unsealed_rejected_rows, 0) as unsealed_rejected_rows,
    coalesce(unsealed_duplicate_rows, 0) as unsealed_duplicate_rows,
    load_id in (select load_id from ops.loads) as is_in_ledger
from events
full join side_rows using (load_id)
"""


@check("raw/events")
def load_counts_add_up(connection: psycopg.Connection, window: Window) -> Finding:
    """Every line of every load is accounted for, and the rows are there.

    Compared are the loads that landed in the window or the day after it, and those with events of the window whenever
    they landed. Lines read must equal accepted, rejected, duplicate, not tracked and erased ones. The current version
    of a file must have exactly those rows in raw, but for those that were dropped with sealed days. A replaced version
    has none, but for those of days that were sealed when it was replaced. Every event of the window must come from a
    load. Beyond the window, the event days of these loads are read.
    """
    days = list(window.days())
    # The landing day after an event day holds the day's last events: 23:59:58 lands after midnight.
    loads = rows_of(connection, _LOADS, Window(window.start, window.end + ONE_DAY), days=days)
    touched = {day for load in loads for day in load["event_dates"]}
    load_ids = [load["load_id"] for load in loads]
    counted = rows_of(connection, _ROWS, event_dates=sorted(touched.union(days)), load_ids=load_ids)
    rows = {row["load_id"]: row for row in counted}

    wrong: list[dict[str, Any]] = []
    bad_days: set[date] = set()
    for load in loads:
        for broken in _broken_rules(load, rows[load["load_id"]]):
            wrong.append({"load_id": load["load_id"], "file": load["file"], **broken})
            bad_days |= _bad_days_of(load, days)
    for row in counted:
        if not row["is_in_ledger"] and (orphaned := set(row["event_days"]).intersection(days)):
            broken = {"rule": "events come from a load of the ledger", "ledger": None, "rows": row["event_rows"]}
            wrong.append({"load_id": row["load_id"], "file": None, **broken})
            bad_days |= orphaned
    totals = {
        name: sum(int(load[name]) for load in loads if load["replaced_by"] is None)
        for name in ("lines_read", "accepted", "rejected", "duplicates", "not_tracked", "erased")
    }
    return finding({"loads": len(loads), **totals, "wrong_counts": len(wrong)}, wrong, bad_days)


def _broken_rules(load: Mapping[str, Any], rows: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the rules that a load breaks: the rule, the count in ops.loads and the count found."""
    is_current = load["replaced_by"] is None
    found_in = "" if is_current else "unsealed_"

    def kept(name: str) -> int:
        return int(load[name] - load[f"dropped_{name}"]) if is_current else 0

    outcomes = sum(load[name] for name in ("accepted", "rejected", "duplicates", "not_tracked", "erased"))
    compared = [
        ("lines_read = accepted + rejected + duplicates + not_tracked + erased", load["lines_read"], outcomes),
        ("accepted = rows in raw.events", kept("accepted"), rows[f"{found_in}event_rows"]),
        ("rejected = rows in raw.rejected_events", kept("rejected"), rows[f"{found_in}rejected_rows"]),
        ("duplicates = rows in raw.duplicate_events", kept("duplicates"), rows[f"{found_in}duplicate_rows"]),
    ]
    return [{"rule": rule, "ledger": ledger, "rows": found} for rule, ledger, found in compared if ledger != found]


def _bad_days_of(load: Mapping[str, Any], days: Sequence[date]) -> set[date]:
    """Return the bad days of a wrong load: its event days in the window, else the day nearest its landing day."""
    touched = set(load["event_dates"]).intersection(days)
    return touched or {min(days, key=lambda day: abs(day - load["landing_date"]))}


_LANDING_DAYS: Final = """
select
    landing_date,
    count(*) as files,
    cast(sum(lines_read) as bigint) as lines_read,
    cast(sum(rejected) as bigint) as rejected
from ops.loads
where landing_date >= %(start)s and landing_date < %(end)s and replaced_by is null
group by landing_date
order by landing_date
"""


@check("raw/events", severity=Severity.WARNING)
def landing_days_have_files(connection: psycopg.Connection, window: Window) -> Finding:
    """Every day of the window has at least one loaded landing file; an empty one counts."""
    landed = {row["landing_date"] for row in rows_of(connection, _LANDING_DAYS, window)}
    missing = [day for day in window.days() if day not in landed]
    return finding({"landing_days": len(landed), "days_without_files": len(missing)}, bad_days=missing)


@check("raw/events", severity=Severity.WARNING, threshold=MAX_REJECTED_SHARE)
def rejection_rate_below_threshold(connection: psycopg.Connection, window: Window) -> Finding:
    """On every landing day of the window at most MAX_REJECTED_SHARE of the lines were rejected."""
    landed = rows_of(connection, _LANDING_DAYS, window)
    bad = [row for row in landed if row["rejected"] > MAX_REJECTED_SHARE * row["lines_read"]]
    observed = {name: sum(int(row[name]) for row in landed) for name in ("lines_read", "rejected")}
    return finding({**observed, "allowed_share": MAX_REJECTED_SHARE}, bad, (row["landing_date"] for row in bad))
