"""State of the embedded server's processes: running, ready, or dead. Nothing here starts or stops them.

The processes inherit a file lock, which the kernel releases when the last of them has ended. A pid file alone does not
suffice: it outlives `kill -9`, and its pid may belong to a zombie or another program. filelock cannot take this lock:
it has neither shared locks nor descriptors that a child inherits. psutil would replace `_is_alive`, but its import
takes 20 ms of every command (2026-11).
"""

import fcntl
import os
import time
from pathlib import Path
from typing import IO, Final

from warehouse.embedded.binaries import EmbeddedServerError
from warehouse.embedded.data_dir import read_lines
from warehouse.file_lock import try_lock

# Crash recovery took up to 2.5 s; a busy disk or a large backlog of WAL takes longer.
START_SECONDS: Final = 120
END_SECONDS: Final = 60
_POLL_SECONDS: Final = 0.05


class ServerProcesses:
    """The postmaster and its children on one data folder."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._lock = data.with_name("server.lock")
        self._pid_file = data / "postmaster.pid"

    def exist(self) -> bool:
        """Return whether any of the processes is alive."""
        try:
            with self._lock.open() as lock:
                return not try_lock(lock, fcntl.LOCK_SH)
        except FileNotFoundError:
            return False

    def are_ready(self) -> bool:
        """Return whether the server accepts connections."""
        lines = read_lines(self._pid_file)
        return len(lines) > 7 and lines[7].strip() == "ready" and self.have_postmaster() and self.exist()

    def port(self) -> int:
        """Return the port of a server that is ready."""
        return int(read_lines(self._pid_file)[3])

    def have_postmaster(self) -> bool:
        """Return whether the pid file names a living process. Valid only while `exist` is true."""
        lines = read_lines(self._pid_file)
        return bool(lines) and _is_alive(int(lines[0]))

    def wait_until_ready(self) -> bool:
        """Wait for a server that is starting. Return False when there is none, or it ends meanwhile."""
        deadline = time.monotonic() + START_SECONDS
        while self.exist() and self.have_postmaster():
            if self.are_ready():
                return True
            if time.monotonic() > deadline:
                raise EmbeddedServerError(
                    f"the server on {self._data} has not accepted connections for {START_SECONDS} s;"
                    f" its log is {self._data / 'server.log'}; try again later"
                )
            time.sleep(_POLL_SECONDS)
        return False

    def lock(self) -> IO[str]:
        """Return the lock for a new postmaster to inherit, once no process of an old one holds it.

        The processes of a killed postmaster end by themselves; a busy one ends after its statement.
        """
        lock = self._lock.open("a")
        deadline = time.monotonic() + END_SECONDS
        while time.monotonic() < deadline:
            if try_lock(lock):
                return lock
            time.sleep(_POLL_SECONDS)
        lock.close()
        raise EmbeddedServerError(
            f"the postmaster on {self._data} ended, but one of its processes runs a statement after {END_SECONDS} s;"
            " try again when it is done, or end the processes named 'postgres: warehouse: ...'"
        )

    def remove_stale_pid_file(self) -> bool:
        """Remove the pid file of a server that died. Return whether there was one. The caller has the lock."""
        # Postgres does not start while the pid belongs to any process, even a zombie or another program.
        if self._pid_file.exists():
            self._pid_file.unlink()
            return True
        return False


def _is_alive(pid: int) -> bool:
    """Return whether a process exists and is no zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # another account's
    # The state stands after the program's name in parentheses. Without /proc there is no telling.
    status = "".join(read_lines(Path(f"/proc/{pid}/stat"))).rpartition(")")[2].split()
    return not status or status[0] not in {"Z", "X"}
