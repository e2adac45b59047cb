"""Findings about the warehouse's state: Dagster, last night, stale days, faults that are open now, alerts."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

import psycopg

from alerting import delivery
from alerting.channels import Channel
from alerting.fault import Fault, Kind, listed
from alerting.messages import words_of
from orchestration.doctor.finding import Finding, fault, ok, warning
from warehouse.single_values import exist, value_of

# The daemon says every 30 s that it lives; Dagster itself calls it dead after 5 minutes.
_HEARTBEAT: Final = timedelta(minutes=5)
# The sensor of alerts ticks once a minute; a long list of other sensors may delay it.
_SILENCE: Final = timedelta(minutes=15)
_LONG_STALE: Final = timedelta(days=1)
# What an on-call person has to mend; the others can wait for the morning.
_CAN_WAIT: Final = {Kind.PLAN_WAITS, Kind.LATE_EVENTS, Kind.REJECTED_LINES}
_START: Final = "start make ui, or the services of deploy/"


def dagster(connection: psycopg.Connection, now: datetime) -> Iterator[Finding]:
    """Examine whether schedules and sensors run, and how the last nightly run ended."""
    if not exist(connection, "dagster.daemon_heartbeats", "dagster.runs"):
        yield warning("Dagster", "has never run with this warehouse: no schedule and no sensor is active", _START)
        return
    last = value_of(connection, "select max(timestamp) at time zone 'UTC' from dagster.daemon_heartbeats")
    if last is None or now - last > _HEARTBEAT:
        said = f"{last:%Y-%m-%d %H:%M} UTC" if last else "never"
        yield warning("Dagster", f"schedules and sensors are not active; the last sign of life was {said}", _START)
    elif (ticked_at := _last_tick(connection)) and now - ticked_at > _SILENCE:
        yield warning(
            "Dagster",
            f"is active, and alerts_sensor has not ticked since {ticked_at:%Y-%m-%d %H:%M} UTC",
            "look at Deployment in the UI: the code cannot be loaded, or somebody has stopped the sensor",
        )
    else:
        yield ok("Dagster", "schedules and sensors are active")
    yield from _failing_sensors(connection)
    row = connection.execute(
        "select run_id, status, to_timestamp(end_time) from dagster.runs where pipeline_name = 'daily_refresh'"
        " and status in ('SUCCESS', 'FAILURE', 'CANCELED') order by end_time desc nulls last limit 1"
    ).fetchone()
    if row is None:
        yield ok("last run", "no run of daily_refresh has ended yet")
        return
    run_id, status, ended_at = row
    text = f"run {run_id} of daily_refresh ended {ended_at:%Y-%m-%d %H:%M} UTC: {status.lower()}"
    if status == "SUCCESS":
        yield ok("last run", text)
    else:
        yield warning("last run", text, "read the first error of the run in the UI")


def _last_tick(connection: psycopg.Connection) -> datetime | None:
    """Return when the sensor of alerts last ticked. A daemon without code lives, and evaluates nothing."""
    if not exist(connection, "dagster.job_ticks"):
        return None
    query = "select max(timestamp) at time zone 'UTC' from dagster.job_ticks where tick_body::jsonb ->> 'job_name' = %s"
    found: datetime | None = value_of(connection, query, ["alerts_sensor"])
    return found


def _failing_sensors(connection: psycopg.Connection) -> Iterator[Finding]:
    """Examine the last ticks of schedules and sensors: one that fails does nothing, also no alert."""
    if not exist(connection, "dagster.job_ticks"):
        return
    rows = connection.execute(
        """
        select name from (
            select distinct on (job_origin_id) status, tick_body::jsonb ->> 'job_name' as name
            from dagster.job_ticks
            where status <> 'STARTED' and timestamp > (now() at time zone 'UTC') - interval '1 day'
            order by job_origin_id, timestamp desc
        ) as last
        where status = 'FAILURE' order by name
        """
    ).fetchall()
    for (name,) in rows:
        yield fault("sensors", f"{name} fails, and does nothing", "read its last tick in the UI, under Automation")


def stale_days(connection: psycopg.Connection, now: datetime) -> Iterator[Finding]:
    """Examine the days that differ from what is loaded, and files that no run has loaded."""
    rows = connection.execute(
        "select event_date, min(stale_since), array_agg(distinct reason order by reason) from ops.stale_days group by 1"
    ).fetchall()
    days = listed(day for day, _, _ in rows)
    reasons = ", ".join(sorted({reason for _, _, found in rows for reason in found}))
    text = f"{len(rows)} ({days}): {reasons}"
    long = [since for _, since, _ in rows if now - since > _LONG_STALE]
    if long:
        yield warning("stale days", f"{text}; {len(long)} for more than a day", "select * from ops.stale_days")
    else:
        yield ok("stale days", f"{text}; they are run by themselves while Dagster runs" if rows else "none")
    if files := value_of(connection, "select count(*) from ops.waiting_files"):
        yield warning("landing files", f"{files} wait", "select file, reason from ops.waiting_files")


def open_faults(found: Sequence[Fault]) -> Iterator[Finding]:
    """Return a finding for each kind of fault, as alerts know them."""
    for kind in Kind:
        of_kind = [found_one for found_one in found if found_one.kind is kind]
        if not of_kind:
            continue
        about = {one.day for one in of_kind if one.day}
        title, advice = words_of(kind, about, of_kind[-1].run_id)
        days = listed(about)
        details = "; ".join(dict.fromkeys(one.detail for one in of_kind[:3] if one.detail))
        text = ": ".join(part for part in (days, details) if part) or title
        yield (warning if kind in _CAN_WAIT else fault)(title, text, advice)
    if not found:
        yield ok("faults", "no run failed, no day was refused or is late, no plan waits")


def alerts(connection: psycopg.Connection, channels: Sequence[Channel], mistake: str) -> Iterator[Finding]:
    """Examine whether anybody hears of faults."""
    if mistake:
        yield fault("alerts", mistake, "correct the setting, and restart Dagster")
    elif not channels:
        yield warning(
            "alerts", "no channel is configured: nobody hears of a fault", "set WAREHOUSE_ALERT_WEBHOOK or _SMTP"
        )
    else:
        yield ok("alerts", f"go to {', '.join(channel.name for channel in channels)}")
    open_alerts = delivery.alerts(connection)
    if open_alerts:
        titles = "; ".join(alert.title for alert in open_alerts)
        yield warning("open alerts", f"{len(open_alerts)}: {titles}", "see the findings above, or asset ops/alerts")
    for name, count, error in delivery.undelivered(connection):
        yield fault("alerts", f"{count} messages wait for channel {name}: {error}", "they are sent when it answers")
