"""Process of the dashboard server, Apache Superset: set up, started once, found again, stopped.

It runs in an environment of its own, whose Python is given. dashboards/server has the code that runs there.
"""

import json
import os
import shutil
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType
from typing import Any, Final

from dashboards.server.server_settings import VARIABLE, ServerSettings
from warehouse import child_processes
from warehouse.connection import CHECKOUT
from warehouse.embedded.data_dir import write
from warehouse.file_lock import try_lock

HOST: Final = "127.0.0.1"
# Cold, on a machine with other work, Superset imports for a minute.
START_SECONDS: Final = 180
END_SECONDS: Final = 30
POLL_SECONDS: Final = 0.2
# One process, so that its caches and logins are one; threads wait for the warehouse most of the time.
_THREADS: Final = 8


class DashboardServerError(Exception):
    """The dashboard server cannot be set up, started or stopped. The message says what to do."""


class DashboardServer:
    """Single dashboard server of a private folder. Its processes hold a file lock; a stale file counts for nothing."""

    def __init__(self, folder: Path, python: Path) -> None:
        self.folder, self._python = folder, python
        self._lock_file = folder / "server.lock"
        self._settings_file = folder / "settings.json"
        self.log = folder / "server.log"

    def run(
        self,
        settings: ServerSettings,
        port: int,
        *,
        say: Callable[[str], None],
        ready: Callable[[str], None],
    ) -> int:
        """Set the server up and run it until a signal ends it; return its exit code. Raises DashboardServerError."""
        lock = self._lock()
        is_ended = _signals()
        try:
            shutil.rmtree(self.folder / "cache", ignore_errors=True)
            say("setting up the dashboards, which takes a minute the first time")
            self.set_up(settings, lock)
            if is_ended.is_set():
                return 0
            child = self._start(port, lock)
            os.pwrite(lock, f"{os.getpid()} {child.pid}".encode(), 0)
            try:
                if self._wait_until_ready(child, port, is_ended):
                    ready(f"http://{HOST}:{port}")
                while not is_ended.wait(POLL_SECONDS) and child.poll() is None:
                    pass
            finally:
                _end(child)
        finally:
            self._settings_file.unlink(missing_ok=True)
            os.close(lock)
        return 0 if is_ended.is_set() else child.returncode

    def stop(self) -> bool:
        """End the server and wait until it has ended; False when none runs. Raises DashboardServerError."""
        if not self._lock_file.exists():
            return False
        with self._lock_file.open("r+") as lock:
            if try_lock(lock):
                return False
            for process in self._lock_file.read_text().split():
                try:
                    os.kill(int(process), signal.SIGTERM)
                    break
                except ProcessLookupError:
                    continue  # killed; its child holds the lock
            deadline = time.monotonic() + 2 * END_SECONDS
            while not try_lock(lock):
                if time.monotonic() > deadline:
                    raise DashboardServerError(f"the dashboard server has not ended within {2 * END_SECONDS} s")
                time.sleep(POLL_SECONDS)
            return True

    def ask(self, settings: ServerSettings, request: Mapping[str, Any]) -> dict[str, Any]:
        """Have a request about logins carried out, and return the answer. Raises DashboardServerError."""
        file = self.folder / f"request-{os.getpid()}.json"
        write(file, settings.as_text())
        try:
            done = subprocess.run(
                [str(self._python), "-m", "dashboards.server.manage_logins"],
                input=json.dumps(request),
                capture_output=True,
                text=True,
                env=self._environment(file),
            )
        finally:
            file.unlink()
        if done.returncode:
            raise DashboardServerError(f"the logins of the dashboards cannot be changed: {_last_line(done.stderr)}")
        answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
        if "error" in answer:
            raise DashboardServerError(answer["error"])
        return answer

    def _lock(self) -> int:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        lock = os.open(self._lock_file, os.O_RDWR | os.O_CREAT, 0o600)
        if not try_lock(lock):
            os.close(lock)
            raise DashboardServerError(
                f"the dashboards run already (process {self._lock_file.read_text().split()[0]}); make stop ends them"
            )
        os.truncate(lock, 0)
        os.write(lock, str(os.getpid()).encode())
        os.set_inheritable(lock, True)
        return lock

    def _environment(self, settings_file: Path) -> dict[str, str]:
        # Nothing of the pipeline's own environment: it holds the owner's password.
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        return kept | {
            VARIABLE: str(settings_file),
            "PYTHONPATH": str(CHECKOUT),
            "SUPERSET_CONFIG_PATH": str(CHECKOUT / "dashboards" / "server" / "superset_config.py"),
            "SUPERSET_HOME": str(self.folder),
        }

    def set_up(self, settings: ServerSettings, *inherited: int) -> None:
        """Make Superset's own tables and the dashboards as the settings say. Raises DashboardServerError.

        `inherited` are open files that the process inherits. The file of the settings stays for the server.
        """
        write(self._settings_file, settings.as_text())
        with self.log.open("wb") as log:
            self.log.chmod(0o600)
            child = child_processes.start(
                [str(self._python), "-m", "dashboards.server.bootstrap"],
                environment=self._environment(self._settings_file),
                own_group=True,
                pass_fds=inherited,
                stdout=log,
                stderr=log,
            )
            if child.wait():
                raise DashboardServerError(
                    f"the dashboards cannot be set up: {_last_line(self.log.read_text(errors='replace'))};"
                    f" {self.log} has more"
                )

    def _start(self, port: int, lock: int) -> "subprocess.Popen[bytes]":
        command = [
            *(str(self._python), "-m", "gunicorn", "--bind", f"{HOST}:{port}", "--no-control-socket"),
            *("--workers", "1", "--worker-class", "gthread", "--threads", str(_THREADS), "--timeout", "120"),
            "superset.app:create_app()",
        ]
        with self.log.open("ab") as log:
            return child_processes.start(
                command,
                environment=self._environment(self._settings_file),
                own_group=True,
                pass_fds=[lock],
                stdout=log,
                stderr=log,
            )

    def _wait_until_ready(self, child: "subprocess.Popen[bytes]", port: int, is_ended: threading.Event) -> bool:
        """Wait until the server answers; False when it is to end before. Raises DashboardServerError when it ends."""
        deadline = time.monotonic() + START_SECONDS
        while not is_ended.wait(POLL_SECONDS):
            if child.poll() is not None:
                text = self.log.read_text(errors="replace")
                if "in use" in text:
                    raise DashboardServerError(f"port {port} is in use; choose another in WAREHOUSE_BI_PORT")
                raise DashboardServerError(f"the dashboard server has ended: {_last_line(text)}; {self.log} has more")
            if _is_healthy(port):
                return True
            if time.monotonic() > deadline:
                raise DashboardServerError(f"the dashboard server does not answer; {self.log} says why")
        return False


def _is_healthy(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "it said nothing"


def _signals() -> threading.Event:
    """Have Ctrl-C, `make stop` and the end of the terminal set an event instead of ending this process."""
    is_ended = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        is_ended.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)
    return is_ended


def _end(child: "subprocess.Popen[bytes]") -> None:
    if child.poll() is None:
        child.send_signal(signal.SIGTERM)
    child_processes.end_group(child, seconds=END_SECONDS)
