"""The deployment's own process: it starts a server again that has died, and ends everything that it has started."""

import itertools
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from orchestration.cli.supervision import FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, ServerGuard
from tests.conftest import FIRST_TEST_PORT
from warehouse.embedded.binaries import EmbeddedServerError
from warehouse.embedded.data_dir import SUPERUSER, read_lines
from warehouse.embedded.server import EmbeddedServer


@pytest.fixture
def server(open_folder: Path) -> Iterator[EmbeddedServer]:
    folder = open_folder / "supervised"
    folder.mkdir()
    server = EmbeddedServer(folder, durable=False, first_port=FIRST_TEST_PORT + 60)
    server.start()
    yield server
    server.remove()


def test_a_server_that_was_killed_is_started_again_and_both_are_told(server: EmbeddedServer) -> None:
    said: list[str] = []
    guard = ServerGuard(server, said.append)
    guard.look()
    assert said == []
    os.kill(int(read_lines(server.folder.data / "postmaster.pid")[0]), signal.SIGKILL)
    deadline = time.monotonic() + 60
    while not said or "runs again" not in said[-1]:
        assert time.monotonic() < deadline, said
        guard.look()
        time.sleep(0.2)
    assert "has ended unasked" in said[0]
    address = server.start()
    url = f"postgresql://{SUPERUSER}:{address.passwords[SUPERUSER]}@{address.host}:{address.port}/postgres"
    psycopg.connect(url).close()


class DeadServer:
    """A server that does not start, as on a full disk."""

    def __init__(self) -> None:
        self.tries = 0

    def has_died(self) -> bool:
        return True

    def start(self) -> None:
        self.tries += 1
        raise EmbeddedServerError("No space left on device")


def test_the_pause_grows_while_a_server_does_not_start() -> None:
    said: list[str] = []
    server, now = DeadServer(), 0.0
    guard = ServerGuard(server, said.append, lambda: now)  # type: ignore[arg-type]
    tried_at = []
    for second in range(400):
        now = float(second)
        before = server.tries
        guard.look()
        if server.tries > before:
            tried_at.append(second)
    pauses = [later - earlier for earlier, later in itertools.pairwise(tried_at)]
    assert tried_at[0] == FIRST_PAUSE_SECONDS
    assert pauses[:4] == [2, 4, 8, 16]
    assert max(pauses) == LONGEST_PAUSE_SECONDS
    assert any("No space left on device" in text for text in said)
    assert any("free disk space" in text for text in said)
