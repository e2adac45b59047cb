"""Supervision by `make ui`: run `dg dev` as a child, and start the embedded server again when it has died.

A server dies of a full disk, of lack of memory, of `kill -9`. No other process would start it again, and Dagster can
neither show nor record anything without it.
"""

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import FrameType
from typing import Final

import psycopg

from orchestration.cli.dagster_process import END_SECONDS, Deployment
from orchestration.instance import run_locks
from warehouse import child_processes
from warehouse.connection import Warehouse, WarehouseUnavailable
from warehouse.embedded.binaries import EmbeddedServerError
from warehouse.embedded.server import EmbeddedServer

POLL_SECONDS: Final = 1.0
# A server that dies again at once is not started again and again at full speed.
FIRST_PAUSE_SECONDS: Final = 1.0
LONGEST_PAUSE_SECONDS: Final = 60.0
# A server that has lived for so long starts with the shortest pause again.
SOUND_SECONDS: Final = 300.0
# A run that is interrupted has dbt cancel its queries, which takes up to 20 s.
RUN_END_SECONDS: Final = 25.0
AGAIN_SECONDS: Final = 10.0


class ServerGuard:
    """Restarts of a server that has died, with a pause that grows while it keeps dying."""

    def __init__(
        self, server: EmbeddedServer, say: Callable[[str], None], now: Callable[[], float] = time.monotonic
    ) -> None:
        self._server, self._say, self._now = server, say, now
        self._pause = FIRST_PAUSE_SECONDS
        self._next_try: float | None = None
        self._sound_since = now()

    def look(self) -> None:
        """Check the server once, and report findings and actions. Raises nothing."""
        if self._next_try is None:
            if not self._has_died():
                return
            if self._now() - self._sound_since > SOUND_SECONDS:
                self._pause = FIRST_PAUSE_SECONDS
            self._say(f"the embedded Postgres server has ended unasked; it is started again in {self._pause:.0f} s")
            self._plan()
        elif self._now() >= self._next_try:
            self._try()

    def _has_died(self) -> bool:
        try:
            return self._server.has_died()
        except EmbeddedServerError as error:
            self._say(f"the embedded Postgres server cannot be looked after: {error}")
            return False

    def _try(self) -> None:
        try:
            self._server.start()
        except EmbeddedServerError as error:
            self._say(f"the embedded Postgres server does not start: {error}")
            self._say(f"free disk space or memory where that is what it lacks; the next try is in {self._pause:.0f} s")
            self._plan()
        else:
            self._say("the embedded Postgres server runs again")
            self._next_try, self._sound_since = None, self._now()

    def _plan(self) -> None:
        self._next_try = self._now() + self._pause
        self._pause = min(self._pause * 2, LONGEST_PAUSE_SECONDS)


def supervise(
    deployment: Deployment,
    warehouse: Warehouse,
    server: EmbeddedServer | None,
    say: Callable[[str], None],
    *,
    options: Sequence[str] = (),
    folder: Path | None = None,
) -> int:
    """Run Dagster until a signal ends it; return its exit code. Raises DeploymentError when one runs already.

    `options` are more of `dg dev`; it works in `folder`, by default the present one.
    """
    command = [*deployment.command(), *options]
    is_ended = _signals()
    child = child_processes.start(
        command,
        environment=os.environ | warehouse.environment(),
        own_group=True,
        pass_fds=[deployment.lock],
        cwd=folder,
    )
    deployment.name_child(child.pid)
    guard = ServerGuard(server, say) if server else None
    while not is_ended.wait(POLL_SECONDS) and child.poll() is None:
        if guard:
            guard.look()
    if child.poll() is None:
        say("Dagster is being stopped; active runs are interrupted, and run again after the next start")
    _end(child, warehouse)
    return 0 if is_ended.is_set() else child.returncode


def _signals() -> threading.Event:
    """Have Ctrl-C, `make stop` and the end of the terminal set an event instead of ending this process."""
    is_ended = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        is_ended.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)
    return is_ended


def _end(child: "subprocess.Popen[bytes]", warehouse: Warehouse) -> None:
    """End `dg dev` and its runs. Its daemon ends first, so that it does not start the interrupted runs again."""
    if child.poll() is None:
        child.send_signal(signal.SIGINT)
    interrupted: dict[int, float] = {}
    deadline = time.monotonic() + END_SECONDS
    while child.poll() is None and time.monotonic() < deadline:
        _interrupt(_runs_of(child, warehouse), interrupted)
        time.sleep(0.3)
    # A run that has just begun may outlive the code server, and what it records needs time.
    deadline = time.monotonic() + RUN_END_SECONDS
    while (living := _runs_of(child, warehouse)) and time.monotonic() < deadline:
        _interrupt(living, interrupted)
        time.sleep(0.3)
    child_processes.end_group(child, seconds=RUN_END_SECONDS)


def _interrupt(living: Iterable[run_locks.RunProcess], interrupted: dict[int, float]) -> None:
    """Interrupt runs, and once more those that have not heard it: Dagster drops what comes between two steps."""
    for process in living:
        last = interrupted.get(process.pid)
        if last is None or time.monotonic() - last > AGAIN_SECONDS:
            interrupted[process.pid] = time.monotonic()
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGINT)


def _runs_of(child: "subprocess.Popen[bytes]", warehouse: Warehouse) -> list[run_locks.RunProcess]:
    """List the runs that the deployment itself has launched; those of a shell go on."""
    try:
        with warehouse.connect(autocommit=True) as connection:
            living = run_locks.processes_here(connection)
    except (WarehouseUnavailable, psycopg.Error):
        return []
    return [process for process in living if _group_of(process.pid) == child.pid]


def _group_of(pid: int) -> int | None:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return None
