"""Embedded Postgres server of a checkout: create, start, find, stop, and recover after a crash.

warehouse/connection.py connects to it.
"""

import contextlib
import fcntl
import logging
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

from warehouse.embedded import binaries
from warehouse.embedded.binaries import Account, EmbeddedServerError
from warehouse.embedded.data_dir import SUPERUSER, ServerFolder, give, read_lines, write
from warehouse.embedded.postgresql_conf import HOST, TEST_SCRAM_ITERATIONS, settings
from warehouse.embedded.postmaster import END_SECONDS, START_SECONDS, ServerProcesses

# Below the range of Linux's outgoing connections (32768 and up), which could hold the port.
FIRST_PORT: Final = 25_432
PORTS_TRIED: Final = 100
LOG_BYTES: Final = 16_000_000

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """Address of the running server, and the passwords of its logins by role."""

    host: str
    port: int
    passwords: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """State of the server, read without changing anything. `port` is None before the first start."""

    is_running: bool
    port: int | None
    data: Path


class EmbeddedServer:
    """The one Postgres server of a checkout. Every method may be called by several processes at once and raises
    EmbeddedServerError.

    `durable=False` is for tests: writing is cheaper, and a crash of the machine may lose the data.
    """

    def __init__(self, checkout: Path, *, durable: bool = True, first_port: int = FIRST_PORT) -> None:
        self.folder = ServerFolder(checkout)
        self._durable = durable
        self._first_port = first_port

    def start(self) -> ServerAddress:
        """Start the server unless it runs. Returns when it accepts connections."""
        with self._explained():
            if address := self._address_when_ready():
                return address
            self.folder.create()
            with self._one_at_a_time():
                return self._address_when_ready() or self._start()

    def stop(self, *, immediately: bool = False) -> bool:
        """Stop the server. Return False when it did not run. `immediately` leaves a crash to recover from."""
        with self._explained():
            if not self._processes().exist():
                return False
            with self._one_at_a_time():
                data = self.folder.data
                processes = ServerProcesses(data)
                if processes.have_postmaster():
                    mode = "immediate" if immediately else "fast"
                    stop = ("-D", data, "-m", mode, "-w", "-t", END_SECONDS, "stop")
                    done = self._run(Account.for_server(data), "pg_ctl", *stop)
                    if done.returncode and processes.have_postmaster():
                        raise EmbeddedServerError(f"the server on {data} does not stop: {done.stderr.strip()}")
                processes.lock().close()
                return True

    def status(self) -> ServerStatus:
        """Return whether the server runs, its port and its data folder."""
        with self._explained():
            return ServerStatus(self._processes().exist(), self.folder.port, self.folder.data)

    def has_died(self) -> bool:
        """Return whether a server that was started has no process left that accepts connections."""
        with self._explained():
            processes = self._processes()
            return not (processes.exist() and processes.have_postmaster())

    def remove(self) -> None:
        """Stop the server and delete its data and everything else in `.warehouse`."""
        self.stop(immediately=True)
        with self._explained():
            for folder in (self.folder.data.parent, self.folder.path):
                if folder.exists():
                    shutil.rmtree(folder)

    def _processes(self) -> ServerProcesses:
        return ServerProcesses(self.folder.data)

    def _address_when_ready(self) -> ServerAddress | None:
        port = self.folder.port
        if port is None or not self._processes().are_ready():
            return None
        return ServerAddress(HOST, port, self.folder.passwords())

    @contextlib.contextmanager
    def _one_at_a_time(self) -> Iterator[None]:
        with (self.folder.path / "start.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _start(self) -> ServerAddress:
        data = self.folder.choose_data()
        account = Account.for_server(data)
        passwords = self.folder.passwords()
        self._create(data, account, passwords[SUPERUSER])
        processes = ServerProcesses(data)
        if not processes.wait_until_ready():
            with processes.lock() as lock:
                self._launch(data, account, lock)
        port = processes.port()
        # Only now, since a port that was tried may be taken.
        if port != self.folder.port:
            self.folder.save_state(port=port)
        return ServerAddress(HOST, port, passwords)

    def _create(self, data: Path, account: Account | None, password: str) -> None:
        """Create the data folder where it is missing, all or nothing. Check that these programs can use it."""
        major = binaries.version().split(".")[0]
        if data.exists():
            found = (data / "PG_VERSION").read_text().strip()
            if found != major:
                raise EmbeddedServerError(
                    f"the data in {data} is of Postgres {found}, but this environment brings Postgres {major};"
                    f" dump it with the old version, or remove {data} and load the landing files again"
                )
            return
        logger.info("creating a Postgres %s server in %s", major, data)
        draft, password_file = data.with_name("postgres.new"), data.with_name("postgres.password")
        if draft.exists():
            shutil.rmtree(draft)
        draft.mkdir(mode=0o700)
        give(draft, account)
        write(password_file, password, account=account)
        # Code point order is the same on every machine and in every other engine.
        locale = ("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
        login = ("--auth=scram-sha-256", f"--username={SUPERUSER}", f"--pwfile={password_file}")
        cheap = () if self._durable else ("--no-sync", f"--set=scram_iterations={TEST_SCRAM_ITERATIONS}")
        try:
            done = self._run(account, "initdb", "-D", draft, *locale, *login, *cheap)
        finally:
            password_file.unlink()
        if done.returncode:
            raise EmbeddedServerError(f"initdb cannot create {data}: {(done.stderr or done.stdout).strip()}")
        draft.rename(data)

    def _launch(self, data: Path, account: Account | None, lock: IO[str]) -> None:
        """Start the postmaster on the server's port; it inherits the lock."""
        log, processes = data / "server.log", ServerProcesses(data)
        if log.exists() and log.stat().st_size > LOG_BYTES:
            log.replace(log.with_suffix(".log.1"))
        if processes.remove_stale_pid_file():
            logger.info("the server was not stopped but died; it recovers now")
        known, first = self.folder.port, self._first_port
        for port in [known] if known else range(first, first + PORTS_TRIED):
            if not _is_free(port):
                continue
            write(data / "postgresql.conf", settings(port, durable=self._durable), account=account)
            write(data / "pg_hba.conf", f"host all all {HOST}/32 scram-sha-256\n", account=account)
            start = ("-D", data, "-l", log, "-w", "-t", START_SECONDS, "start")
            done = self._run(account, "pg_ctl", *start, pass_fds=[lock.fileno()])
            if not done.returncode:
                return
            if _is_free(port) or processes.have_postmaster():
                log_end = "\n".join([done.stderr.strip(), *read_lines(log)[-12:]])
                raise EmbeddedServerError(f"Postgres does not start on {data}; the end of {log}:\n{log_end}")
        if known:
            raise EmbeddedServerError(
                f"port {known} on {HOST} is taken by another program, and BI tools know this warehouse by it; stop that"
                f' program, or remove "port" from {self.folder.path / "server.json"} to have another one chosen'
            )
        raise EmbeddedServerError(
            f"no port on {HOST} from {first} to {first + PORTS_TRIED - 1} is free; stop what listens there,"
            " or set WAREHOUSE_URL to a server of your own"
        )

    def _run(
        self, account: Account | None, program: str, *arguments: object, **options: Any
    ) -> subprocess.CompletedProcess[str]:
        command = [str(binaries.program_folder(account) / program), *map(str, arguments)]
        options |= binaries.process_options(account)
        return subprocess.run(command, check=False, text=True, capture_output=True, **options)

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """Raise errors of files and folders as EmbeddedServerError, with the server and the remedy."""
        where = f"the embedded server of {self.folder.checkout} cannot use its files"
        remedy = "or set WAREHOUSE_URL to a server of your own"
        try:
            yield
        except PermissionError as error:
            raise EmbeddedServerError(f"{where}: {error}; work as the user they belong to, {remedy}") from error
        except (OSError, ValueError) as error:
            raise EmbeddedServerError(f"{where}: {error}; repair or remove {self.folder.path}, {remedy}") from error


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As Postgres does: closed connections that linger do not keep a port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True
