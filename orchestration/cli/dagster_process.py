"""Dagster deployment of a checkout: `dg dev` started once, found again, stopped. Settings: .dagster/dagster.yaml."""

import os
import signal
import sys
import time
from pathlib import Path
from typing import Final

from warehouse.file_lock import try_lock

# The web server, the daemon, the code server and its run each end in turn; on a busy machine that takes 10 s.
END_SECONDS: Final = 60
# What ends it by force when it does not end (supervision.py) comes after that.
STOP_SECONDS: Final = END_SECONDS + 70
POLL_SECONDS: Final = 0.1


class DeploymentError(Exception):
    """Dagster cannot be started or stopped; the message says what to do."""


def make_home(dagster_home: str) -> Path:
    """Create Dagster's folder where it is missing, and return it. Raises DeploymentError."""
    home = Path(dagster_home)
    advice = "correct DAGSTER_HOME, or the rights on the folder"
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DeploymentError(f"Dagster's folder {home} cannot be created: {error.strerror}; {advice}") from None
    if not os.access(home, os.W_OK | os.X_OK):
        raise DeploymentError(f"Dagster's folder {home} cannot be written; {advice}")
    return home


class Deployment:
    """Single `dg dev` of a Dagster home. Its processes hold a file lock, so a stale file counts for nothing."""

    def __init__(self, dagster_home: Path) -> None:
        self._lock_file = dagster_home / "ui.lock"
        # Of the process that has called `command`: what its child has to inherit.
        self.lock = -1

    def command(self) -> list[str]:
        """Take the lock, and return what is to be run. Raises DeploymentError when it runs already."""
        self._lock_file.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(self._lock_file, os.O_RDWR | os.O_CREAT, 0o644)
        if not try_lock(lock):
            os.close(lock)
            raise DeploymentError(f"Dagster runs already (process {self._process()}); make stop ends it")
        os.truncate(lock, 0)
        os.write(lock, str(os.getpid()).encode())
        os.set_inheritable(lock, True)
        # A shell that starts it in the background has it ignore Ctrl-C, which is how `stop` ends it.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        self.lock = lock
        return [sys.executable, "-m", "orchestration.web.dev", "--use-active-venv"]

    def name_child(self, pid: int) -> None:
        """Note the process that has inherited the lock, which may outlive this one."""
        os.pwrite(self.lock, f"{os.getpid()} {pid}".encode(), 0)

    def is_running(self) -> bool:
        """Return True if it is running."""
        if not self._lock_file.exists():
            return False
        with self._lock_file.open("r+") as lock:
            return not try_lock(lock)

    def stop(self) -> bool:
        """End it and wait until it has ended; False when none runs. Raises DeploymentError when it does not end."""
        if not self._lock_file.exists():
            return False
        with self._lock_file.open("r+") as lock:
            if try_lock(lock):
                return False
            for process in self._processes():
                try:
                    # As Ctrl-C does: it ends its runs, web server, daemon and code server.
                    os.kill(process, signal.SIGINT)
                    break
                except ProcessLookupError:
                    continue  # killed; its child holds the lock
            deadline = time.monotonic() + STOP_SECONDS
            while not try_lock(lock):
                if time.monotonic() > deadline:
                    raise DeploymentError(f"Dagster (process {process}) has not ended within {STOP_SECONDS} s")
                time.sleep(POLL_SECONDS)
            return True

    def _process(self) -> int:
        return self._processes()[0]

    def _processes(self) -> list[int]:
        return [int(pid) for pid in self._lock_file.read_text().split()]
