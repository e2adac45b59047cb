"""The Postgres server of a test session, and a fresh prepared warehouse for every test that asks for one.

Each pytest process (and each xdist worker) has a server of its own, so the database a test sees is always called
`warehouse`: dbt parses its whole project again when that name changes.
"""

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from orchestration.cli.provision import prepare
from tests.support import known_skips
from tests.support.databases import create_from, drop, superuser
from warehouse.connection import APPLICATION_DATABASE, DATABASE, Warehouse
from warehouse.embedded.binaries import EmbeddedServerError
from warehouse.embedded.data_dir import OWNER
from warehouse.embedded.server import EmbeddedServer

if TYPE_CHECKING:
    from tests.support.pipeline import Pipeline

# Away from the port of a developer's own warehouse.
FIRST_TEST_PORT = 26_432
TEMPLATE = "warehouse_template"
MODELS_TEMPLATE = "warehouse_template_with_models"
OUTSIDE_VARIABLES = ("WAREHOUSE_", "LANDING_", "APP_DATABASE_", "DBT_", "DAGSTER_", "PG")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--only-known-skips",
        action="store_true",
        help="fail when a test is skipped for a reason that tests/support/known_skips.py does not list",
    )


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if config.getoption("--only-known-skips") and (lacking := known_skips.unknown(skips_of(terminalreporter))):
        terminalreporter.section("skipped for want of something", red=True)
        for line in lacking:
            terminalreporter.line(line)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter and session.config.getoption("--only-known-skips") and known_skips.unknown(skips_of(reporter)):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def skips_of(reporter: pytest.TerminalReporter) -> list[pytest.TestReport]:
    """The reports of skipped tests, of all workers."""
    return list(reporter.stats.get("skipped", ()))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests marked `slow` or `daemon` begin first, shared out among the workers, who then have short ones to steal from
    each other: `--dist worksteal` gives each a stretch of the list."""
    workers = getattr(config, "workerinput", {}).get("workercount", 1)
    if workers == 1:
        return
    long = [item for item in items if item.get_closest_marker("slow") or item.get_closest_marker("daemon")]
    short = [item for item in items if item not in set(long)]
    shared_out = []
    for worker in range(workers):
        first = long[worker::workers]
        length = (len(items) - len(shared_out)) // (workers - worker)
        shared_out += [*first, *short[: length - len(first)]]
        del short[: length - len(first)]
    items[:] = shared_out


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings that the developer has made for a warehouse of their own does not reach the tests."""
    for name in os.environ:
        if name.startswith(OUTSIDE_VARIABLES):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def open_folder() -> Iterator[Path]:
    """A folder that the server's account can enter, which pytest's own is not when root runs the tests.

    It is locked while this process lives; what a killed test run left is removed by the next one.
    """
    base = _base_folder()
    prefix = f"warehouse-tests-{os.geteuid()}-"
    with (base / f"{prefix}lock").open("a") as one_at_a_time:
        fcntl.flock(one_at_a_time, fcntl.LOCK_EX)
        for folder in base.glob(f"{prefix}*/"):
            if folder.lstat().st_uid == os.geteuid() and not folder.is_symlink():
                _remove_if_left(folder)
        path = Path(tempfile.mkdtemp(prefix=prefix, dir=base))
        path.chmod(0o755)
        session = (path / "session.lock").open("w")
        fcntl.flock(session, fcntl.LOCK_EX)
    with session:
        yield path
        shutil.rmtree(path, ignore_errors=True)


def _base_folder() -> Path:
    # In memory a fresh database takes 25 ms, on a disk up to 300. Containers by default have 64 MB there, and let
    # nothing run from it.
    memory = Path("/dev/shm")  # noqa: S108
    if memory.is_dir() and os.access(memory, os.W_OK):
        system = os.statvfs(memory)
        if system.f_bavail * system.f_frsize > 4 * 1024**3 and not system.f_flag & os.ST_NOEXEC:
            return memory
    return Path(tempfile.gettempdir())


def _remove_if_left(folder: Path) -> None:
    with contextlib.suppress(BlockingIOError), (folder / "session.lock").open("a") as session:
        fcntl.flock(session, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # A process of the killed run may still be writing; the next run removes what is left of its folder.
        with contextlib.suppress(EmbeddedServerError):
            for kept in list(folder.rglob(".warehouse")):
                EmbeddedServer(kept.parent).remove()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def test_server(open_folder: Path) -> Iterator[EmbeddedServer]:
    """The running server of this pytest process, with a prepared but empty warehouse as its template."""
    checkout = open_folder / "session"
    checkout.mkdir()
    server = EmbeddedServer(checkout, durable=False, first_port=FIRST_TEST_PORT)
    warehouse = Warehouse.from_embedded(server)
    prepare(warehouse)
    with superuser(warehouse) as connection:
        connection.execute(f"alter database {DATABASE} rename to {TEMPLATE}")
        # Tests make application databases of their own.
        connection.execute(f"alter role {OWNER} createdb")
    yield server
    server.remove()


@pytest.fixture(scope="session")
def models_template(test_server: EmbeddedServer, open_folder: Path) -> str:
    """A template in which dbt has built every seed, view and table, for the tests marked `models`."""
    from tests.support.pipeline import Pipeline

    warehouse = Warehouse.from_embedded(test_server)
    with superuser(warehouse) as connection:
        create_from(TEMPLATE, warehouse, connection)
        pipeline = Pipeline(warehouse, open_folder / "no landing files")
        pipeline.create_models()
        pipeline.close()
        connection.execute(f"alter database {DATABASE} rename to {MODELS_TEMPLATE}")
    return MODELS_TEMPLATE


@pytest.fixture
def warehouse(test_server: EmbeddedServer, request: pytest.FixtureRequest) -> Iterator[Warehouse]:
    """A prepared warehouse without data, and an empty application database beside it."""
    warehouse = Warehouse.from_embedded(test_server)
    has_models = request.node.get_closest_marker("models")
    template = request.getfixturevalue("models_template") if has_models else TEMPLATE
    with superuser(warehouse) as connection:
        create_from(template, warehouse, connection)
        yield warehouse
        drop(connection)
        if _is_used(warehouse.superuser_url(APPLICATION_DATABASE)):
            connection.execute(f"drop database {APPLICATION_DATABASE} with (force)")


@pytest.fixture
def pipeline(warehouse: Warehouse, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator["Pipeline"]:
    """A warehouse without data, and an empty landing folder.

    Marked `models`, a test starts with the dbt models built and empty; with names, it builds these models and what they
    are made from, and leaves the others empty.
    """
    # Brings Dagster along, 3 s of CPU that unit tests need not spend.
    from tests.support.pipeline import Pipeline

    marker = request.node.get_closest_marker("models")
    pipeline = Pipeline(warehouse, tmp_path / "landing", models=marker.args if marker else ())
    yield pipeline
    pipeline.close()


@pytest.fixture
def connection(warehouse: Warehouse) -> Iterator[psycopg.Connection]:
    """A connection to the fresh warehouse as its owner."""
    with warehouse.connect() as connection:
        yield connection


def _is_used(url: str) -> bool:
    """Return whether a database holds anything that did not come with it."""
    first_own_oid = 16_384
    with psycopg.connect(url) as connection:
        return bool(connection.execute("select 1 from pg_class where oid >= %s", [first_own_oid]).fetchone())
