"""Conservation at the door: what the ledger of loads says about a window, held against the rows of schema raw.

Every check reads the window's days only, and beyond them what its docstring names. Nothing is written and no
transaction is ended: that is the caller's.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final

import psycopg

from quality_checks.outcome import SAMPLE_ROWS, CheckOutcome, Severity, days_of, json_row
from quality_checks.queries import rows_of
from warehouse.window import Window

# The landing day after an event day holds the day's last events: 23:59:58 lands after midnight.
_LANDING_DAYS_AFTER: Final = timedelta(days=1)

# Healthy sources reject about 1 % of their lines; a release that breaks one event type of a tracker moves far
# past this. A warning, because the rejected lines are kept and can be replayed.
MAX_REJECTED_SHARE: Final = 0.05

# A row is found through its day's partition or, in the two side tables, through its load: raw.events has no
# index on load_id, so the days to read are taken from the ledger first and the planner prunes to those.
_LOADS: Final = """
select load_id, landing_date, file, lines_read, accepted, rejected, duplicates, not_tracked, erased, event_dates,
    replaced_by
from ops.loads
where (landing_date >= %(start)s and landing_date < %(landing_end)s) or event_dates && %(days)s::date[]
order by load_id
"""

_ROWS: Final = """
with
events as (
    select load_id, cast(sum(event_rows) as bigint) as event_rows, array_agg(event_date) as event_days
    from (
        select load_id, event_date, count(*) as event_rows
        from raw.events
        where event_date = any(%(event_dates)s::date[])
        group by load_id, event_date
    ) as load_days
    group by load_id
),
side_rows as (
    select loads.load_id,
        (select count(*) from raw.rejected_events as r where r.load_id = loads.load_id) as rejected_rows,
        (select count(*) from raw.duplicate_events as d where d.load_id = loads.load_id) as duplicate_rows
    from unnest(%(load_ids)s::bigint[]) as loads (load_id)
)
select load_id,
    coalesce(event_rows, 0) as event_rows,
    event_days,
    coalesce(rejected_rows, 0) as rejected_rows,
    coalesce(duplicate_rows, 0) as duplicate_rows,
    load_id in (select load_id from ops.loads) as is_in_ledger
from events
full join side_rows using (load_id)
"""


def load_counts_add_up(connection: psycopg.Connection, window: Window) -> CheckOutcome:
    """Every line of every load is accounted for, and the rows are there.

    Judges the loads that landed in the window or the day after it, and those that touched one of its event days
    whenever they landed. Each must have read as many lines as it accepted, rejected, found to be duplicates, did
    not track, and lost to erasures; the current version of a file must have exactly that many rows in raw, a
    replaced version none; and every event of the window must come from a load. Reads, beyond the window, the event
    days that these loads touched.
    """
    days = list(days_of(window))
    loads = rows_of(
        connection,
        _LOADS,
        {
            "start": window.start,
            "landing_end": window.end + _LANDING_DAYS_AFTER,
            "days": days,
        },
    )
    touched = {day for load in loads for day in load["event_dates"]}
    counted = rows_of(
        connection,
        _ROWS,
        {"event_dates": sorted(touched.union(days)), "load_ids": [load["load_id"] for load in loads]},
    )
    rows = {row["load_id"]: row for row in counted}

    wrong: list[dict[str, Any]] = []
    bad_days: set[date] = set()
    for load in loads:
        for rule, ledger, found in _broken_rules(load, rows[load["load_id"]]):
            wrong.append(
                {"load_id": load["load_id"], "file": load["file"], "rule": rule, "ledger": ledger, "rows": found}
            )
            bad_days |= _days_to_hold(load, days)
    for row in counted:
        if not row["is_in_ledger"] and (orphaned := set(row["event_days"]).intersection(days)):
            wrong.append(
                {
                    "load_id": row["load_id"],
                    "file": None,
                    "rule": "events come from a load of the ledger",
                    "ledger": None,
                    "rows": row["event_rows"],
                }
            )
            bad_days |= orphaned
    totals = {
        name: sum(int(load[name]) for load in loads if load["replaced_by"] is None)
        for name in ("lines_read", "accepted", "rejected", "duplicates", "not_tracked", "erased")
    }
    return CheckOutcome(
        name="load_counts_add_up",
        passed=not wrong,
        severity=Severity.ERROR,
        observed=json_row({"loads": len(loads), **totals, "wrong_counts": len(wrong)}),
        days=tuple(sorted(bad_days)),
        sample=tuple(json_row(row) for row in wrong[:SAMPLE_ROWS]),
    )


def _broken_rules(load: Mapping[str, Any], rows: Mapping[str, Any]) -> list[tuple[str, int, int]]:
    """The rules that a load breaks: the rule, what the ledger says and what was found instead."""
    is_current = load["replaced_by"] is None
    outcomes = sum(load[name] for name in ("accepted", "rejected", "duplicates", "not_tracked", "erased"))
    compared = [
        ("lines_read = accepted + rejected + duplicates + not_tracked + erased", load["lines_read"], outcomes),
        ("accepted = rows in raw.events", load["accepted"] * is_current, rows["event_rows"]),
        ("rejected = rows in raw.rejected_events", load["rejected"] * is_current, rows["rejected_rows"]),
        ("duplicates = rows in raw.duplicate_events", load["duplicates"] * is_current, rows["duplicate_rows"]),
    ]
    return [(rule, ledger, found) for rule, ledger, found in compared if ledger != found]


def _days_to_hold(load: Mapping[str, Any], days: Sequence[date]) -> set[date]:
    """The days of the window that a wrong load makes unfit: those it touched, else the one nearest its landing."""
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


def landing_days_have_files(connection: psycopg.Connection, window: Window) -> CheckOutcome:
    """Every day of the window has at least one loaded landing file, be it empty."""
    landed = {row["landing_date"] for row in _landing_days(connection, window)}
    missing = tuple(day for day in days_of(window) if day not in landed)
    return CheckOutcome(
        name="landing_days_have_files",
        passed=not missing,
        severity=Severity.WARNING,
        observed={"landing_days": len(landed), "days_without_files": len(missing)},
        days=missing,
    )


def rejection_rate_below_threshold(connection: psycopg.Connection, window: Window) -> CheckOutcome:
    """On no landing day of the window more than MAX_REJECTED_SHARE of the lines were rejected."""
    landed = _landing_days(connection, window)
    bad = [row for row in landed if row["rejected"] > MAX_REJECTED_SHARE * row["lines_read"]]
    return CheckOutcome(
        name="rejection_rate_below_threshold",
        passed=not bad,
        severity=Severity.WARNING,
        observed={
            "lines_read": sum(int(row["lines_read"]) for row in landed),
            "rejected": sum(int(row["rejected"]) for row in landed),
            "allowed_share": MAX_REJECTED_SHARE,
        },
        days=tuple(row["landing_date"] for row in bad),
        sample=tuple(json_row(row) for row in bad[:SAMPLE_ROWS]),
    )


def _landing_days(connection: psycopg.Connection, window: Window) -> list[dict[str, Any]]:
    return rows_of(connection, _LANDING_DAYS, {"start": window.start, "end": window.end})
