"""The databases of the benchmarks: a durable embedded server of its own, a fresh warehouse for every run, the prepared
rows that other paths load, and the digest by which all must agree.
"""

import contextlib
import hashlib
import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import psycopg

from orchestration.cli.provision import prepare
from tests.benchmarks.ingest_rows import TABLES
from tests.support.provenance import PROVENANCE_COLUMNS
from warehouse.connection import DATABASE, Warehouse
from warehouse.embedded.data_dir import OWNER
from warehouse.embedded.server import EmbeddedServer
from warehouse.window import Window

# Away from a developer's own warehouse and from the tests'.
FIRST_BENCHMARK_PORT: Final = 27_432
_TEMPLATE: Final = "warehouse_template"


class BenchmarkServer:
    """A running server with production's settings; its databases are made from a prepared, empty warehouse."""

    def __init__(self, server: EmbeddedServer) -> None:
        self.warehouse = Warehouse.from_embedded(server)
        prepare(self.warehouse)
        self._superuser = psycopg.connect(self.warehouse.superuser_url("postgres"), autocommit=True)
        self._superuser.execute(f"alter database {DATABASE} rename to {_TEMPLATE}")
        self.postmaster = int((server.folder.data / "postmaster.pid").read_text().split()[0])

    @contextlib.contextmanager
    def database(self) -> Iterator[str]:
        """The URL of a fresh warehouse, which is dropped afterwards. Nothing of earlier runs waits to be written."""
        self._create(DATABASE)
        prepare(self.warehouse)
        self._superuser.execute("checkpoint")
        yield self.warehouse.url
        self._superuser.execute(f"drop database {DATABASE} with (force)")

    @contextlib.contextmanager
    def database_beside(self, name: str) -> Iterator[str]:
        """The URL of an empty warehouse of another name, beside the one that is there, dropped afterwards."""
        self._create(name)
        self._superuser.execute("checkpoint")
        yield replace(self.warehouse, database=name).url
        self._superuser.execute(f"drop database {name} with (force)")

    def settle(self) -> None:
        """Vacuum and analyze the tables of the warehouse and write everything to disk, as hours without work do.

        As autovacuum does it, which leaves out the parents of partitions.
        """
        with self.warehouse.connect(autocommit=True) as connection:
            tables = connection.execute(
                "select pg_class.oid::regclass::text from pg_class inner join pg_namespace"
                " on pg_namespace.oid = relnamespace where relkind = 'r' and nspname !~ '^(pg_|information_schema)'"
            ).fetchall()
            connection.execute(f"vacuum analyze {', '.join(name for (name,) in tables)}")  # type: ignore[call-overload]
        self._superuser.execute("checkpoint")

    def wal_bytes(self) -> int:
        """Return how many bytes of WAL the server has ever written."""
        found = self._superuser.execute("select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')").fetchone()
        assert found is not None
        return int(found[0])

    def _create(self, name: str) -> None:
        self._superuser.execute(f"create database {name} owner {OWNER} template {_TEMPLATE} strategy file_copy")

    def keep_copy(self, name: str) -> None:
        """Keep a copy of the warehouse as it is under another name, for exchange."""
        self._disconnect(DATABASE)
        self._superuser.execute(f"create database {name} owner {OWNER} template {DATABASE} strategy file_copy")

    def exchange(self, name: str) -> None:
        """Let the copy be the warehouse, and the warehouse the copy."""
        for database in (DATABASE, name):
            self._disconnect(database)
        for old, new in ((DATABASE, "exchanged"), (name, DATABASE), ("exchanged", name)):
            self._superuser.execute(f"alter database {old} rename to {new}")

    def drop_copy(self, name: str) -> None:
        """Drop a copy."""
        self._superuser.execute(f"drop database {name} with (force)")

    def _disconnect(self, database: str) -> None:
        self._superuser.execute(
            "select pg_terminate_backend(pid, 10000) from pg_stat_activity where datname = %s", [database]
        )

    def close(self) -> None:
        self._superuser.close()


@contextlib.contextmanager
def benchmark_server() -> Iterator[BenchmarkServer]:
    """A server in a temporary folder on the disk, which its account can enter."""
    with tempfile.TemporaryDirectory(prefix="warehouse-bench-") as folder:
        Path(folder).chmod(0o755)
        embedded = EmbeddedServer(Path(folder), first_port=FIRST_BENCHMARK_PORT)
        try:
            server = BenchmarkServer(embedded)
            yield server
            server.close()
        finally:
            embedded.remove()


def column_types(connection: psycopg.Connection, table: str) -> dict[str, str]:
    """The columns of a raw table and their SQL types."""
    found = connection.execute(
        "select attname, format_type(atttypid, atttypmod) from pg_attribute"
        " where attrelid = %s::regclass and attnum > 0 and not attisdropped order by attnum",
        [f"raw.{table}"],
    )
    return {str(name): str(kind) for name, kind in found}


def export_rows(
    url: str, folder: Path, *, landed: Window | None = None, kinds: Sequence[str] = ("csv", "binary")
) -> None:
    """Write what is in raw, or what these landing days have brought, as `<table>.csv` and `<table>.binary`.

    COPY reads them. The types of the columns and the event days are written beside them.
    """
    folder.mkdir()
    loads = "true"
    if landed is not None:
        days = f"landing_date >= '{landed.start}' and landing_date < '{landed.end}'"
        loads = f"load_id in (select load_id from ops.loads where {days})"
    with psycopg.connect(url) as connection:
        types = {table: column_types(connection, table) for table in TABLES}
        (folder / "columns.json").write_text(json.dumps(types))
        found = connection.execute(f"select distinct event_date from raw.events where {loads} order by 1")
        (folder / "days.json").write_text(json.dumps([day.isoformat() for (day,) in found]))
        for table in TABLES:
            columns = ", ".join(types[table])
            for kind in kinds:
                rows = f"select {columns} from raw.{table} where {loads}"
                with (
                    (folder / f"{table}.{kind}").open("wb") as file,
                    connection.cursor().copy(f"copy ({rows}) to stdout (format {kind})") as copy,
                ):
                    for piece in copy:
                        file.write(piece)


def digest(url: str, schema: str) -> tuple[dict[str, int], str]:
    """Rows by table, and one text that is the same for the same rows in any order, wherever they came from."""
    counts: dict[str, int] = {}
    sums = []
    with psycopg.connect(url) as connection:
        for table in TABLES:
            kinds = column_types(connection, table)
            row = ", ".join(f"{name}::{kind}" for name, kind in kinds.items() if name not in PROVENANCE_COLUMNS)
            found = connection.execute(
                f"select count(*), coalesce(sum(hash_record_extended(row({row}), 0)::numeric), 0) from {schema}.{table}"
            ).fetchone()
            assert found is not None
            counts[table] = int(found[0])
            sums.append(str(found[1]))
    return counts, hashlib.sha256(" ".join(sums).encode()).hexdigest()[:16]
