"""Writer lock: one run writes the warehouse at a time.

It is an advisory lock of the warehouse itself, which holds for every way of starting a run and ends with its holder. A
child process may outlive its run. A fencing token therefore joins the lock: every writing transaction first compares
its build id, and fails when a later run holds the warehouse.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import psycopg

from warehouse.locks import AdvisoryLock
from warehouse.single_values import value_of

POLL_SECONDS: Final = 0.5
# As long as Dagster lets a run take (.dagster/dagster.yaml); a longer hold means that the run hangs.
PATIENCE_SECONDS: Final = 6 * 60 * 60


class WriterBusy(Exception):
    """Another run has been writing the warehouse for longer than a run may take."""


@contextmanager
def writing(connection: psycopg.Connection, build_id: str, *, log: Callable[[str], None]) -> Iterator[None]:
    """Hold the warehouse for a build while the block runs. The connection must be in autocommit mode and stay open.

    Logs the run that it waits for. Raises WriterBusy after PATIENCE_SECONDS.
    """
    _wait_for_lock(connection, log)
    try:
        connection.execute("update ops.writer set build_id = %s", [build_id])
        yield
    finally:
        if not connection.closed:
            connection.execute("select pg_advisory_unlock(%s)", [AdvisoryLock.WRITER])


def wait_until_free(connection: psycopg.Connection, *, log: Callable[[str], None]) -> None:
    """Wait until no run writes the warehouse, and log the run. Raises WriterBusy after PATIENCE_SECONDS."""
    _wait_for_lock(connection, log)
    connection.execute("select pg_advisory_unlock(%s)", [AdvisoryLock.WRITER])


def _wait_for_lock(connection: psycopg.Connection, log: Callable[[str], None]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    is_logged = False
    while not value_of(connection, "select pg_try_advisory_lock(%s)", [AdvisoryLock.WRITER]):
        if not is_logged:
            log(f"waiting for the warehouse: {_holder(connection)} is writing it")
            is_logged = True
        if time.monotonic() > deadline:
            raise WriterBusy(
                f"{_holder(connection)} has been writing the warehouse for more than {PATIENCE_SECONDS // 60} minutes;"
                " end that run in the Dagster UI, or its session in Postgres, and run this one again"
            )
        time.sleep(POLL_SECONDS)


def _holder(connection: psycopg.Connection) -> str:
    holder = value_of(
        connection,
        """
        select format('run %%s (server process %%s, since %%s UTC)', writer.build_id, locks.pid,
            to_char(activity.backend_start at time zone 'UTC', 'HH24:MI:SS'))
        from ops.writer as writer
        cross join pg_locks as locks
        inner join pg_stat_activity as activity on activity.pid = locks.pid
        where locks.locktype = 'advisory' and locks.granted and locks.classid = 0 and locks.objid = %s
            and locks.database = (select oid from pg_database where datname = current_database())
        """,
        [AdvisoryLock.WRITER],
    )
    return holder or "another run"


def assert_writer(cursor: psycopg.Cursor, build_id: str) -> None:
    """Raise WriterBusy in this transaction when a later run holds the warehouse."""
    if not value_of(cursor, "select 1 from ops.writer where build_id = %s for share", [build_id]):
        raise WriterBusy(f"run {build_id} has lost the warehouse to a later run; start it again")
