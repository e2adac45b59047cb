"""The embedded server started by root: it runs as another account, which may not enter every folder."""

import os
import shutil
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.warehouse.test_embedded_server import connect, kill, only_root, postmaster
from warehouse.embedded import binaries
from warehouse.embedded.binaries import Account, EmbeddedServerError
from warehouse.embedded.server import EmbeddedServer


@only_root
def test_root_has_the_server_run_as_an_account_without_rights(server: EmbeddedServer) -> None:
    server.start()

    assert server.folder.data.parent == server.folder.path
    assert server.folder.data.stat().st_uid != 0
    assert Path(f"/proc/{postmaster(server)}").stat().st_uid == server.folder.data.stat().st_uid


@only_root
def test_a_checkout_that_the_servers_account_cannot_enter_has_its_data_in_a_named_folder(
    make_server: Callable[..., EmbeddedServer], shared_folder: Path
) -> None:
    server = make_server("closed/checkout")
    server.folder.checkout.parent.chmod(0o700)
    address = server.start()
    data = server.folder.data

    assert data.parent.parent == shared_folder
    assert data.parent.name.startswith("checkout-")
    assert (data.parent / "checkout").read_text() == str(server.folder.checkout)
    kill(server)
    assert server.start() == address
    assert server.folder.data == data

    server.remove()
    assert not data.parent.exists()


@only_root
def test_a_copied_checkout_does_not_get_the_data_of_its_original(
    make_server: Callable[..., EmbeddedServer], shared_folder: Path
) -> None:
    server = make_server("closed/original")
    server.folder.checkout.parent.chmod(0o700)
    server.start()
    server.stop()
    copy = server.folder.checkout.with_name("copy")
    shutil.copytree(server.folder.checkout, copy)

    with pytest.raises(EmbeddedServerError, match="is a copy of"):
        EmbeddedServer(copy).start()


@only_root
def test_programs_that_the_servers_account_cannot_run_are_copied(
    make_server: Callable[..., EmbeddedServer], shared_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = binaries._package_folder()
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    for part in (package, package.with_name(f"{package.name}.libs")):
        (closed / part.name).symlink_to(part)
    monkeypatch.setattr(binaries, "_package_folder", lambda: closed / package.name)
    server = make_server()

    server.start()

    command = Path(f"/proc/{postmaster(server)}/cmdline").read_text().split("\0")[0]
    assert Path(command).is_relative_to(shared_folder)


@only_root
def test_an_ordinary_user_runs_the_server_as_themselves(server: EmbeddedServer) -> None:
    account = Account.for_server(server.folder.data)
    assert account is not None
    if not account.can_enter(binaries._package_folder() / "pginstall" / "bin" / "postgres"):
        pytest.skip("an ordinary user cannot enter this virtual environment")
    binaries.version()  # what it imports is perhaps out of that user's reach
    os.chown(server.folder.checkout, account.uid, account.gid)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.setgroups([])
            os.setgid(account.gid)
            os.setuid(account.uid)
            server.start()
            EmbeddedServer(server.folder.checkout).start()
            code = 0
        finally:
            traceback.print_exc()
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

    assert server.folder.path.stat().st_uid == account.uid
    assert (server.folder.path / "credentials.json").stat().st_uid == account.uid
    with connect(server.start()) as connection:
        assert connection.execute("select 1").fetchone() == (1,)
