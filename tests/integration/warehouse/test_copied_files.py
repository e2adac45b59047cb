"""A backup by copying files: the folder of a stopped embedded server, put back elsewhere."""

import subprocess
from collections.abc import Callable

import psycopg

from warehouse.embedded.data_dir import SUPERUSER
from warehouse.embedded.server import EmbeddedServer, ServerAddress


def connect(address: ServerAddress) -> psycopg.Connection:
    login = {"user": SUPERUSER, "password": address.passwords[SUPERUSER], "dbname": "postgres"}
    return psycopg.connect(host=address.host, port=address.port, autocommit=True, **login)


def test_a_copy_of_the_files_of_a_stopped_server_is_the_same_server(
    make_server: Callable[..., EmbeddedServer],
) -> None:
    original, copy = make_server("original"), make_server("copy")
    address = original.start()
    with connect(address) as connection:
        connection.execute("create table kept as select 1 as number")
    original.stop()
    # As docs/operate.md says.
    source, target = original.folder.path, copy.folder.path
    subprocess.run(["/usr/bin/env", "cp", "-a", str(source), str(target)], check=True)
    original.remove()
    restored = copy.start()
    assert restored.passwords == address.passwords
    with connect(restored) as connection:
        assert connection.execute("select number from kept").fetchall() == [(1,)]
