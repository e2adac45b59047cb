"""A warehouse that does not answer: WarehouseUnavailable with one sentence, and questions that go on afterwards."""

import os
import signal
import socket
from collections.abc import Iterator

import pytest

from reporting.errors import WarehouseUnavailable
from reporting.metrics import Metrics
from tests.support.databases import superuser
from warehouse.connection import Warehouse

pytestmark = pytest.mark.models


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that takes connections and never says anything."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_server_that_is_not_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with (
        Metrics(f"postgresql://bi_reader:a-password@127.0.0.1:{port}/warehouse") as metrics,
        pytest.raises(WarehouseUnavailable) as error,
    ):
        metrics.platform_metrics("7d")
    assert str(error.value) == f"the warehouse at 127.0.0.1, port {port} cannot be asked: Connection refused"


def test_a_server_that_never_speaks(silent_port: int) -> None:
    with (
        Metrics(f"postgresql://bi_reader@127.0.0.1:{silent_port}/warehouse", timeout=0.1) as metrics,
        pytest.raises(WarehouseUnavailable, match=r"does not answer within 0.1 seconds$"),
    ):
        metrics.platform_metrics("7d")


def test_a_wrong_password(quarter: Warehouse) -> None:
    dsn = quarter.bi_dsn.replace("bi_reader:", "bi_reader:wrong")
    with Metrics(dsn) as metrics, pytest.raises(WarehouseUnavailable) as error:
        metrics.platform_metrics("7d")
    assert str(error.value).endswith('cannot be asked: password authentication failed for user "bi_reader"')


@pytest.mark.parametrize(
    ("dsn", "why"),
    [("no dsn", "is no URL"), ("", "is no URL"), ("mysql://a@b/c", "begins with mysql, and not with postgresql")],
)
def test_a_dsn_that_is_none(dsn: str, why: str) -> None:
    with pytest.raises(WarehouseUnavailable, match=f"^the DSN of the warehouse {why}"):
        Metrics(dsn)


def test_a_table_that_is_locked(quarter: Warehouse) -> None:
    """The server ends the statement, and the connection is good for the next question."""
    with Metrics(quarter.bi_dsn, timeout=0.5) as metrics:
        before = metrics.platform_metrics("7d")
        with quarter.connect() as owner:
            owner.execute("lock table marts.platform_metrics in access exclusive mode")
            with pytest.raises(WarehouseUnavailable, match=r"does not answer within 0.5 seconds$"):
                metrics.platform_metrics("7d")
        assert metrics.platform_metrics("7d") == before


def test_a_server_that_stops_answering_a_question(quarter: Warehouse) -> None:
    """A process that is stopped takes no cancel either: the connection is cut, and another one is made."""
    with Metrics(quarter.bi_dsn, timeout=0.5) as metrics, superuser(quarter) as connection:
        before = metrics.platform_metrics("7d")
        ((process,),) = connection.execute("select pid from pg_stat_activity where usename = 'bi_reader'").fetchall()
        os.kill(process, signal.SIGSTOP)
        try:
            with pytest.raises(WarehouseUnavailable, match=r"does not answer within 0.5 seconds$"):
                metrics.platform_metrics("7d")
            assert metrics.platform_metrics("7d") == before
        finally:
            os.kill(process, signal.SIGCONT)


def test_a_connection_that_has_ended_since_is_made_again(quarter: Warehouse) -> None:
    with Metrics(quarter.bi_dsn) as metrics, superuser(quarter) as connection:
        before = metrics.platform_metrics("7d")
        connection.execute("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'bi_reader'")
        assert metrics.platform_metrics("7d") == before


def test_a_warehouse_of_an_older_version(quarter: Warehouse) -> None:
    with quarter.connect(autocommit=True) as owner:
        owner.execute("drop function marts.platform_metrics(text)")
    with Metrics(quarter.bi_dsn) as metrics, pytest.raises(WarehouseUnavailable, match="`warehouse start`"):
        metrics.platform_metrics("7d")
