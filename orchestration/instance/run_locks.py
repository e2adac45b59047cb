"""Run locks: an advisory lock of the warehouse that shows that the process of a run is alive.

The lock goes with its session, and the session with its process: after `kill -9` or a loss of power no lock is left,
however the run was started. Dagster's own record would say "started" for hours.
"""

import contextlib
import logging
import multiprocessing
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import psycopg

from warehouse.connection import Warehouse, WarehouseUnavailable
from warehouse.locks import AdvisoryLock
from warehouse.single_values import value_of

_BEAT_SECONDS: Final = 1.0
# A server that lost its client's machine notices within 15 + 3 x 10 s; by default it would take two hours.
_KEEPALIVES: Final = (
    "set tcp_keepalives_idle = 15",
    "set tcp_keepalives_interval = 10",
    "set tcp_keepalives_count = 3",
)
_NAME: Final = "run"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RunProcess:
    """Process of a run on this machine."""

    run_id: str
    pid: int


def notice_lost_clients(connection: psycopg.Connection) -> None:
    """Have the server end this session soon after the client's machine was lost, so that its locks are free."""
    for statement in _KEEPALIVES:
        connection.execute(statement)


def is_held(connection: psycopg.Connection, run_id: str) -> bool:
    """Return True if the process of a run is alive."""
    query = """
        select 1 from pg_locks
        where locktype = 'advisory' and classid = %s and objsubid = 2 and granted
            and objid = (hashtext(%s)::bigint & 4294967295)::oid
            and database = (select oid from pg_database where datname = current_database())
    """
    return value_of(connection, query, [AdvisoryLock.RUN, run_id]) is not None


def processes_here(connection: psycopg.Connection) -> list[RunProcess]:
    """List the processes of this machine that run something in this warehouse."""
    rows = connection.execute(
        """
        select distinct activity.application_name
        from pg_locks as locks
        inner join pg_stat_activity as activity on activity.pid = locks.pid
        where locks.locktype = 'advisory' and locks.classid = %s and locks.objsubid = 2 and locks.granted
            and activity.datname = current_database()
        """,
        [AdvisoryLock.RUN],
    ).fetchall()
    found = []
    for (name,) in rows:
        kind, run_id, pid, machine = name.split(" ", 3)
        if kind == _NAME and machine == _machine():
            found.append(RunProcess(run_id, int(pid)))
    return found


@contextlib.contextmanager
def held(warehouse: Warehouse, run_id: str) -> Iterator[None]:
    """Hold the lock of a run while the block runs, over restarts of the server too."""
    keeper = _Keeper(warehouse, run_id)
    keeper.start()
    try:
        yield
    finally:
        keeper.end()


class _Keeper(threading.Thread):
    """Thread that keeps the lock's session, and ends the run when its code server has ended."""

    def __init__(self, warehouse: Warehouse, run_id: str) -> None:
        super().__init__(name="run-lock", daemon=True)
        self._warehouse, self._run_id = warehouse, run_id
        self._is_over = threading.Event()
        self._connection: psycopg.Connection | None = None
        # A run that Dagster's daemon launched is a child of the code server; of `dg launch` this is None.
        self._parent = multiprocessing.parent_process()
        self._hold()

    def run(self) -> None:
        is_interrupted = False
        while not self._is_over.wait(_BEAT_SECONDS):
            self._hold()
            if self._parent is not None and not self._parent.is_alive() and not is_interrupted:
                logger.warning("the code server that started this run has ended: the run is interrupted")
                os.kill(os.getpid(), signal.SIGINT)
                is_interrupted = True

    def end(self) -> None:
        self._is_over.set()
        self.join()
        if self._connection is not None:
            self._connection.close()

    def _hold(self) -> None:
        with contextlib.suppress(WarehouseUnavailable, psycopg.Error):
            if self._connection is None or self._connection.closed:
                name = f"{_NAME} {self._run_id} {os.getpid()} {_machine()}"
                self._connection = self._warehouse.connect(autocommit=True, application_name=name)
                notice_lost_clients(self._connection)
                lock = "select pg_advisory_lock_shared(%s, hashtext(%s))"
                self._connection.execute(lock, [AdvisoryLock.RUN, self._run_id])
            self._connection.execute("select 1")


def _machine() -> str:
    """Name this machine, in what Postgres leaves of an application's name beside the run's id."""
    return socket.gethostname().replace(" ", "-")[:12]


def interrupt_all(connection: psycopg.Connection, *, seconds: float) -> list[RunProcess]:
    """End the runs of this machine as Ctrl-C does, and kill those that do not end in time. Returns the runs found."""
    interrupted: dict[int, RunProcess] = {}
    deadline = time.monotonic() + seconds
    while living := processes_here(connection):
        is_late = time.monotonic() > deadline
        for process in living:
            if is_late or process.pid not in interrupted:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process.pid, signal.SIGKILL if is_late else signal.SIGINT)
            interrupted[process.pid] = process
        if time.monotonic() > deadline + seconds:
            break
        time.sleep(0.2)
    return list(interrupted.values())
