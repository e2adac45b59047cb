"""The faults that are open now, from the state tables of schema ops.

A sealed day has none, since nothing can be done about it.

Some faults depend on those that were open before. A day that was refused stays a fault until it is published, not only
until the check passes. A day whose run failed is not reported as late too, unless it was late first.
"""

from collections.abc import Iterable, Sequence, Set
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

import psycopg

from alerting import disks, failed_runs
from alerting.fault import Bounds, Fault, Kind
from publishing import applied_models, days_not_current
from publishing.model_versions import ProjectVersion
from warehouse.window import ONE_DAY

# Shares of fewer lines say nothing: one line of ten is 10 %.
MIN_LINES: Final = 100
# As far back as landing days in a row are beyond a bound.
_LANDING_DAYS: Final = 14
_MODELS_SHOWN: Final = 5


def open_faults(
    connection: psycopg.Connection,
    *,
    now: datetime,
    bounds: Bounds,
    project: ProjectVersion | None,
    folders: Iterable[Path] = (),
    days_at_work: Set[date] = frozenset(),
) -> list[Fault]:
    """Return every fault of the warehouse.

    Args:
        connection: The warehouse.
        now: The moment, UTC.
        bounds: What is too late and too much.
        project: The loaded version of the models; None where changes are applied by themselves.
        folders: Folders of this machine whose disks must not be full.
        days_at_work: Days of a backfill that is active: they are not late.
    """
    before = _open_subjects(connection)
    failed = failed_runs.faults(connection)
    refused = _refused_days(connection, before.get(Kind.DAY_REFUSED, set()))
    explained = {fault.day for fault in (*failed, *refused) if fault.day}
    late = _days_not_published(connection, now, bounds)
    late_before = before.get(Kind.DAY_NOT_PUBLISHED, set())
    return [
        *failed,
        *refused,
        *(
            fault
            for fault in late
            if fault.subject in late_before or (fault.day not in explained and fault.day not in days_at_work)
        ),
        *(_waiting_plan(connection, project, now) if project else ()),
        *_landing_faults(connection, now, bounds),
        *disks.full_disks(
            folders,
            free_gigabytes=bounds.free_gigabytes,
            open_subjects=before.get(Kind.DISK_FULL, set()),
            now=now,
        ),
    ]


def _open_subjects(connection: psycopg.Connection) -> dict[str, set[str]]:
    rows = connection.execute("select kind, subject from ops.alert_faults where closed_at is null").fetchall()
    found: dict[str, set[str]] = {}
    for kind, subject in rows:
        found.setdefault(kind, set()).add(subject)
    return found


def _refused_days(connection: psycopg.Connection, before: Set[str]) -> list[Fault]:
    """Return the days that a blocking check refuses, and those that it refused `before` and that are not published.

    The check passes some time before the day is published; in between the day would seem to be late.
    """
    rows = connection.execute(
        """
        with failures as (
            select day, results.check_name, results.checked_at, results.build_id,
                coalesce(day = any(states.failing_days), false) as is_failing
            from ops.check_results as results
            cross join unnest(results.bad_days) as day
            left join ops.check_states as states using (check_name)
            where not results.is_passed and results.severity = 'error'
                and (day = any(states.failing_days) or day = any(%s::date[]))
        ),
        days as (
            select day, bool_or(is_failing) as is_failing, max(checked_at) as last_checked_at,
                string_agg(distinct check_name, ', ' order by check_name) filter (where is_failing) as failing,
                string_agg(distinct check_name, ', ' order by check_name) as all_checks,
                (array_agg(build_id order by checked_at desc))[1] as build_id,
                max(checked_at) filter (where is_failing) as since
            from failures group by day
        )
        select days.day, coalesce(failing, all_checks), coalesce(since, last_checked_at), days.build_id
        from days
        left join ops.published_days as published on published.event_date = days.day
        where days.day >= ops.sealed_before() and (days.is_failing or published.event_date is null)
        order by days.day
        """,
        [sorted(before)],
    ).fetchall()
    return [
        Fault(Kind.DAY_REFUSED, str(day), checks, since, f"{day}: {checks}", day, build_id)
        for day, checks, since, build_id in rows
    ]


def _days_not_published(connection: psycopg.Connection, now: datetime, bounds: Bounds) -> list[Fault]:
    """Return the days whose deadline has passed, from the first published day on.

    While nothing is published, these are the days of which events are loaded.
    """
    end = days_not_current.due_before(now, bounds.deadline)
    days = [
        day
        for (day,) in connection.execute(
            """
            select day from (
                select first.event_date + n as day
                from (select min(event_date) as event_date from ops.published_days) as first,
                    generate_series(0, %(end)s::date - first.event_date - 1) as n
                union
                select event_date from ops.stale_days
                where reason = 'never_run' and not exists (select from ops.published_days)
            ) as due
            where day < %(end)s and day >= ops.sealed_before()
                and not exists (select from ops.published_days where event_date = day)
            order by day
            """,
            {"end": end},
        )
    ]
    return [
        Fault(
            Kind.DAY_NOT_PUBLISHED,
            str(day),
            "",
            datetime.combine(day + ONE_DAY, bounds.deadline, UTC),
            day=day,
        )
        for day in days
    ]


def _waiting_plan(connection: psycopg.Connection, project: ProjectVersion, now: datetime) -> list[Fault]:
    waiting = applied_models.waiting_models(connection, project)
    if not waiting:
        return []
    more = f" and {len(waiting) - _MODELS_SHOWN} more" if len(waiting) > _MODELS_SHOWN else ""
    return [
        Fault(
            Kind.PLAN_WAITS, "plan", "", now, f"{len(waiting)} models wait: {', '.join(waiting[:_MODELS_SHOWN])}{more}"
        )
    ]


def _landing_faults(connection: psycopg.Connection, now: datetime, bounds: Bounds) -> list[Fault]:
    """Return the latest landing days in a row with too many rejected lines, and those with too many late events.

    The first landing day within the bound ends them: older days are history, which their own warnings show.
    """
    rows = connection.execute(
        """
        select landing_date, sum(lines_read)::bigint, sum(rejected)::bigint, sum(accepted)::bigint, sum(late)::bigint,
            max(loaded_at)
        from ops.loads
        where replaced_by is null and landing_date < %s
        group by landing_date
        having sum(lines_read) >= %s
        order by landing_date desc
        limit %s
        """,
        [now.date(), MIN_LINES, _LANDING_DAYS],
    ).fetchall()
    rejected = [(day, bad, lines, at) for day, lines, bad, _, _, at in rows]
    late = [(day, bad, events, at) for day, _, _, events, bad, at in rows]
    return [
        *_beyond(Kind.REJECTED_LINES, rejected, bounds.rejected_share, "{bad:,} of {all:,} lines that landed on {day}"),
        *_beyond(Kind.LATE_EVENTS, late, bounds.late_share, "{bad:,} of {all:,} events that landed on {day}"),
    ]


def _beyond(kind: Kind, days: Sequence[tuple[date, int, int, datetime]], bound: float, text: str) -> list[Fault]:
    found = []
    for day, bad, every, at in days:
        if bad <= bound * every:
            break
        detail = f"{text.format(bad=bad, all=every, day=day)}, {bad / every:.0%}; the bound is {bound:.0%}"
        found.append(Fault(kind, str(day), "", at, detail, day))
    return found
