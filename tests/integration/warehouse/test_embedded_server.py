"""The embedded server: started once, found again, recovered after a crash, and clear about what is in its way."""

import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from warehouse.embedded import binaries
from warehouse.embedded.binaries import EmbeddedServerError
from warehouse.embedded.data_dir import SUPERUSER
from warehouse.embedded.server import EmbeddedServer, ServerAddress
from warehouse.roles.readers import READERS

# Servers are stopped and come back here: not where another test process could take the port in between.
FIRST_PORT = 20_000 + os.getpid() % 50 * 100
# Whatever a killed server has to do until it is gone.
PATIENCE_SECONDS = 30

only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to hand the server to another account")


def connect(address: ServerAddress, password: str | None = None) -> psycopg.Connection:
    return psycopg.connect(
        host=address.host,
        port=address.port,
        user=SUPERUSER,
        password=address.passwords[SUPERUSER] if password is None else password,
        dbname="postgres",
        autocommit=True,
    )


def postmaster(server: EmbeddedServer) -> int:
    return int((server.folder.data / "postmaster.pid").read_text().split()[0])


def kill(server: EmbeddedServer) -> None:
    """End the postmaster as the machine's out-of-memory killer would, and wait until the server is gone."""
    os.kill(postmaster(server), signal.SIGKILL)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while server.status().is_running:
        assert time.monotonic() < deadline, "the processes of a killed server live on"
        time.sleep(0.02)


def test_a_second_start_finds_the_running_server(server: EmbeddedServer) -> None:
    first = server.start()
    running = postmaster(server)

    second = EmbeddedServer(server.folder.checkout).start()

    assert second == first
    assert postmaster(server) == running


def test_starts_at_the_same_moment_give_one_server(server: EmbeddedServer) -> None:
    code = (
        "import sys; from pathlib import Path; from warehouse.embedded.server import EmbeddedServer;"
        f"print(EmbeddedServer(Path(sys.argv[1]), durable=False, first_port={FIRST_PORT}).start().port)"
    )
    command = [sys.executable, "-c", code, str(server.folder.checkout)]
    starts = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    ports = {start.communicate()[0] for start in starts}

    assert [start.returncode for start in starts] == [0, 0, 0]
    assert ports == {f"{server.status().port}\n"}
    with connect(server.start()) as connection:
        assert connection.execute("select 1").fetchone() == (1,)


def test_what_was_committed_survives_the_death_of_the_postmaster(server: EmbeddedServer) -> None:
    address = server.start()
    with connect(address) as connection:
        connection.execute("set synchronous_commit = on")
        connection.execute("create table kept as select generate_series(1, 1000) as number")
    kill(server)

    assert server.start() == address
    with connect(address) as connection:
        assert connection.execute("select count(*) from kept").fetchone() == (1000,)


@pytest.mark.parametrize("pid_of", ["a zombie", "a stranger"])
def test_a_pid_file_that_a_dead_server_left_does_not_hinder_the_next_start(server: EmbeddedServer, pid_of: str) -> None:
    server.start()
    pid_file = server.folder.data / "postmaster.pid"
    left = pid_file.read_text().splitlines()
    server.stop()
    child = subprocess.Popen(["true"] if pid_of == "a zombie" else ["sleep", "600"])
    try:
        if pid_of == "a zombie":
            os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        pid_file.write_text("\n".join([str(child.pid), *left[1:]]) + "\n")

        with connect(server.start()) as connection:
            assert connection.execute("select 1").fetchone() == (1,)
    finally:
        child.kill()
        child.wait()


def test_a_stopped_server_comes_back_at_the_same_address_with_its_data(server: EmbeddedServer) -> None:
    address = server.start()
    with connect(address) as connection:
        connection.execute("create table kept ()")

    assert server.stop()
    assert not server.status().is_running
    assert not server.stop()

    assert server.start() == address
    with connect(address) as connection:
        assert connection.execute("select to_regclass('kept') is not null").fetchone() == (True,)


def test_the_server_listens_on_loopback_only_and_wants_the_right_password(server: EmbeddedServer) -> None:
    address = server.start()
    with connect(address) as connection:
        shown = [
            connection.execute(f"show {name}").fetchone()
            for name in ("listen_addresses", "unix_socket_directories", "timezone", "jit")
        ]
    assert shown == [("127.0.0.1",), ("",), ("UTC",), ("off",)]
    for wrong in ("", "guessed"):
        with pytest.raises(psycopg.OperationalError, match="password"):
            connect(address, wrong)


def test_the_passwords_are_readable_by_their_owner_alone_and_never_shown(server: EmbeddedServer) -> None:
    address = server.start()
    file = server.folder.path / "credentials.json"

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(set(address.passwords.values())) == 2 + len(READERS)
    for password in address.passwords.values():
        assert password in file.read_text()
        assert password not in repr(address)
        assert password not in (server.folder.data / "server.log").read_text()


def test_a_new_server_takes_the_next_port_when_one_is_taken(server: EmbeddedServer) -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            other.bind(("127.0.0.1", FIRST_PORT))
            other.listen()
        except OSError:
            pass  # another program has it, which does as well
        assert server.start().port > FIRST_PORT


def test_a_known_port_that_somebody_else_took_is_an_error_and_not_changed(server: EmbeddedServer) -> None:
    port = server.start().port
    server.stop()
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        with pytest.raises(EmbeddedServerError, match=rf"port {port} .* taken by another program.*server\.json"):
            server.start()
    assert server.start().port == port


def test_data_of_another_major_version_is_refused_and_left_alone(server: EmbeddedServer) -> None:
    server.start()
    server.stop()
    version = server.folder.data / "PG_VERSION"
    current = version.read_text()
    version.write_text("17\n")

    with pytest.raises(EmbeddedServerError, match=rf"{server.folder.data} is of Postgres 17.* brings Postgres 18"):
        server.start()

    version.write_text(current)
    server.start()


def test_data_whose_passwords_are_gone_is_refused(server: EmbeddedServer) -> None:
    server.start()
    server.stop()
    (server.folder.path / "credentials.json").unlink()

    with pytest.raises(EmbeddedServerError, match=r"credentials\.json is missing"):
        server.start()


def test_a_damaged_state_file_is_named(server: EmbeddedServer) -> None:
    server.start()
    server.stop()
    (server.folder.path / "server.json").write_text("{")

    with pytest.raises(EmbeddedServerError, match=r"server\.json is damaged"):
        server.start()
    (server.folder.path / "server.json").unlink()


def test_a_checkout_that_cannot_hold_the_server_is_named(server: EmbeddedServer) -> None:
    server.folder.path.write_text("in the way")

    with pytest.raises(EmbeddedServerError, match=rf"{server.folder.checkout} .*WAREHOUSE_URL"):
        server.start()


def test_a_platform_without_programs_is_an_error(
    server: EmbeddedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binaries, "_package_folder", lambda: tmp_path)

    with pytest.raises(EmbeddedServerError, match=r"no Postgres for this platform .*WAREHOUSE_URL"):
        server.start()


def test_a_start_that_fails_shows_what_postgres_says(server: EmbeddedServer) -> None:
    server.start()
    server.stop()
    (server.folder.data / "postgresql.auto.conf").write_text("no_such_setting = 1\n")

    with pytest.raises(EmbeddedServerError, match="no_such_setting"):
        server.start()


def test_a_moved_checkout_keeps_its_warehouse(make_server: Callable[..., EmbeddedServer]) -> None:
    server = make_server("before")
    address = server.start()
    server.stop()
    moved = make_server("after")
    moved.folder.checkout.rmdir()
    server.folder.checkout.rename(moved.folder.checkout)

    assert moved.start() == address
