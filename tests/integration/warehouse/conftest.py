"""Embedded servers of their own, for tests of the server itself."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from warehouse.embedded import binaries
from warehouse.embedded.server import EmbeddedServer

# Servers are stopped and come back here: not where another test process could take the port in between.
FIRST_PORT = 20_000 + os.getpid() % 50 * 100


@pytest.fixture
def shared_folder(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = open_folder / f"shared-{os.urandom(4).hex()}"
    monkeypatch.setattr(binaries, "SHARED_FOLDER", folder)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def make_server(
    open_folder: Path, shared_folder: Path, request: pytest.FixtureRequest
) -> Iterator[Callable[..., EmbeddedServer]]:
    """Servers of their own checkouts, removed after the test."""
    folder = open_folder / f"{request.node.originalname}-{os.urandom(4).hex()}"
    folder.mkdir()
    servers: list[EmbeddedServer] = []

    def make(name: str = "checkout") -> EmbeddedServer:
        (folder / name).mkdir(parents=True, exist_ok=True)
        servers.append(EmbeddedServer(folder / name, durable=False, first_port=FIRST_PORT))
        return servers[-1]

    yield make
    for server in servers:
        if server.folder.path.is_dir():
            server.remove()
    shutil.rmtree(folder)


@pytest.fixture
def server(make_server: Callable[..., EmbeddedServer]) -> EmbeddedServer:
    return make_server()
