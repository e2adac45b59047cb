"""Failed runs: recorded when their retries are over, and forgotten when a later run has done their work.

A run for days is recorded by day: two later runs may do its work together. A run that a check has refused is no fault,
since the refused day is one.
"""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Final

import psycopg

from alerting.fault import Fault, Kind
from warehouse.single_values import value_of
from warehouse.window import Window

# A job without days is recorded under this day.
_NO_DAYS: Final = "-infinity"
# Jobs that publish. Their work is done as soon as the day is published, by whichever run.
_PUBLISHING: Final = ("daily_refresh", "rebuild", "__ASSET_JOB")
# A job that loads the files of its day ahead. The runs that publish that day, or the one before, load them too.
_LOADING: Final = "load_landing"


def record(
    connection: psycopg.Connection,
    *,
    job: str,
    window: Window | None,
    run_id: str,
    failed_at: datetime,
    reason: str,
    work: str = "",
) -> bool:
    """Record that a run has failed and is not tried again. Return False where a check has refused its days.

    `work` identifies the settings of a run without days, since another run of the job may do something else.
    """
    if value_of(
        connection,
        "select exists (select from ops.check_results where build_id = %s and not is_passed and severity = 'error')",
        [run_id],
    ):
        return False
    connection.execute(
        """
        insert into ops.failed_runs as failed (job, work, event_date, run_id, failed_at, reason)
        select %s, %s, day, %s, %s, %s from unnest(%s::date[]) as day
        on conflict (job, work, event_date) do update
        set run_id = excluded.run_id, reason = excluded.reason, failed_at = excluded.failed_at
        where failed.failed_at < excluded.failed_at
        """,
        [job, work, run_id, failed_at, reason, _days(window)],
    )
    return True


def forget(
    connection: psycopg.Connection, *, job: str, window: Window | None, ended_at: datetime, work: str = ""
) -> None:
    """Forget the failures that a run that has succeeded makes good: those of its job, work and days before its end."""
    connection.execute(
        "delete from ops.failed_runs where job = %s and work = %s and event_date = any(%s::date[]) and failed_at < %s",
        [job, work, _days(window), ended_at],
    )


def dismiss(connection: psycopg.Connection, run_id: str) -> int:
    """Forget a failed run whose work is not needed any more. Return of how many days it was."""
    return connection.execute("delete from ops.failed_runs where run_id = %s", [run_id]).rowcount


def faults(connection: psycopg.Connection) -> list[Fault]:
    """Return the failed runs whose work is still to be done, a fault for each job and day."""
    rows = connection.execute(
        """
        select job, work, nullif(event_date, %s), run_id, failed_at, reason
        from ops.failed_runs as failed
        where not exists (
            select from ops.published_days as published
            where published.published_at > failed.failed_at and (
                published.event_date = failed.event_date and failed.job = any(%s)
                or failed.job = %s and (failed.failed_at at time zone 'UTC')::date - published.event_date in (0, 1)
            )
        ) and (event_date = '-infinity' or event_date >= ops.sealed_before())
        order by failed_at, job, event_date
        """,
        [_NO_DAYS, list(_PUBLISHING), _LOADING],
    ).fetchall()
    return [
        Fault(
            Kind.RUN_FAILED,
            " ".join(str(part) for part in (job, work, day) if part),
            job,
            failed_at,
            f"job {job}{f' for {day}' if day else ''}: {reason}",
            day,
            run_id,
        )
        for job, work, day, run_id, failed_at, reason in rows
    ]


def _days(window: Window | None) -> Iterable[date | str]:
    return list(window.days()) if window else [_NO_DAYS]
