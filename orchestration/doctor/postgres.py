"""Findings about the Postgres server: version, clock, roles and grants, sessions that hold locks."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

import psycopg

from orchestration.doctor.finding import Finding, fault, ok, warning
from warehouse.connection import Warehouse
from warehouse.locks import AdvisoryLock
from warehouse.requirements import OLDEST_VERSION
from warehouse.roles import grants, hardening
from warehouse.single_values import value_of

# A day is a UTC day: a clock that is off by more puts events beside midnight into the wrong landing day.
_CLOCK_WARNING: Final = timedelta(seconds=5)
_CLOCK_FAULT: Final = timedelta(minutes=5)
# As long as a run may take (.dagster/dagster.yaml).
_LONGEST_RUN: Final = timedelta(hours=6)
_LONG_WAIT: Final = timedelta(minutes=10)

_SESSIONS: Final = """
select pid, application_name, state, clock_timestamp() - xact_start as since, pg_blocking_pids(pid) as blockers
from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid() and xact_start is not null
"""
_WRITER: Final = """
select activity.pid, writer.build_id, clock_timestamp() - activity.backend_start
from pg_locks as locks
inner join pg_stat_activity as activity using (pid)
cross join ops.writer as writer
where locks.locktype = 'advisory' and locks.granted and locks.mode = 'ExclusiveLock' and locks.objsubid = 1
    and locks.classid = 0 and locks.objid = %s
    and locks.database = (select oid from pg_database where datname = current_database())
"""


def version(connection: psycopg.Connection) -> Iterator[Finding]:
    """Examine the server's version."""
    found = connection.info.parameter_status("server_version") or ""
    if connection.info.server_version // 10_000 < OLDEST_VERSION:
        yield fault("Postgres", f"is {found}; {OLDEST_VERSION} or newer is needed", "upgrade the server")
    else:
        yield ok("Postgres", found)


def clock(connection: psycopg.Connection) -> Iterator[Finding]:
    """Compare the server's clock with this machine's."""
    before = datetime.now(UTC)
    server = value_of(connection, "select clock_timestamp()")
    now = before + (datetime.now(UTC) - before) / 2
    apart = abs(server - now)
    text = f"the server's and this machine's are {apart.total_seconds():.1f} s apart"
    advice = "let both machines take their time from the network (NTP), then look at the days loaded meanwhile"
    if apart > _CLOCK_FAULT:
        yield fault("clock", text, advice)
    elif apart > _CLOCK_WARNING:
        yield warning("clock", text, advice)
    else:
        yield ok("clock", text)


def rights(warehouse: Warehouse, connection: psycopg.Connection) -> Iterator[Finding]:
    """Examine the rights of the reading roles, and what only a superuser may close."""
    with connection.cursor() as cursor:
        missing = grants.missing_statements(cursor)
    if missing:
        yield fault(
            "grants",
            f"{len(missing)} rights of readers are missing or too many: {missing[0]}",
            "run warehouse start, which grants and revokes",
        )
    else:
        yield ok("grants", "readers have their rights and no others")
    if not warehouse.is_embedded and (still_open := hardening.statements(connection, owner=warehouse.user)):
        yield warning(
            "hardening",
            f"{len(still_open)} rights of every login of this server are still open",
            "have a superuser run what warehouse roles hardening prints",
        )


def locks(connection: psycopg.Connection) -> Iterator[Finding]:
    """Examine who writes the warehouse, and which sessions make others wait."""
    writer = connection.execute(_WRITER, [AdvisoryLock.WRITER]).fetchone()
    if writer is None:
        yield ok("writer", "no run is writing")
    else:
        pid, build_id, since = writer
        text = f"run {build_id} (session {pid}) has been connected for {_minutes(since)}"
        if since > _LONGEST_RUN:
            yield warning("writer", text, "look at the run in the UI, and end it there if it hangs")
        else:
            yield ok("writer", text)
    sessions = {pid: found for pid, *found in connection.execute(_SESSIONS).fetchall()}
    waiting = {pid: found for pid, found in sessions.items() if found[3] and found[2] > _LONG_WAIT}
    idle = {
        pid: found for pid, found in sessions.items() if found[1] == "idle in transaction" and found[2] > _LONG_WAIT
    }
    for pid, (name, _, since, blockers) in waiting.items():
        yield warning(
            "locks",
            f"session {pid} ({name}) has waited {_minutes(since)} for session {blockers[0]}",
            f"find out what session {blockers[0]} does; end it: select pg_terminate_backend({blockers[0]})",
        )
    for pid, (name, _, since, _) in idle.items():
        yield warning(
            "locks",
            f"session {pid} ({name}) has had a transaction open for {_minutes(since)} and does nothing",
            f"end it: select pg_terminate_backend({pid})",
        )
    if not waiting and not idle:
        yield ok("locks", "no session makes others wait")


def _minutes(since: timedelta) -> str:
    return f"{since.total_seconds() / 60:.0f} min"
