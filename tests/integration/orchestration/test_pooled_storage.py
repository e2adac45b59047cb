"""Dagster's storage keeps its connections, and does without them when the server has ended them."""

import logging
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
import yaml
from dagster import DagsterRun, RunsFilter
from dagster._config import process_config
from dagster._core.storage.runs import SqlRunStorage
from sqlalchemy import create_engine

from orchestration.instance import storage_outage
from orchestration.instance.pooled_storage import PooledStorage
from warehouse.connection import CHECKOUT, Warehouse


@pytest.fixture
def runs(warehouse: Warehouse) -> Iterator[SqlRunStorage]:
    storage = PooledStorage.from_config_value(None, {"postgres_url": warehouse.dagster_storage_url})
    yield storage.run_storage  # type: ignore[misc]
    storage.run_storage._engine.dispose()  # type: ignore[attr-defined]


def server_processes(connection: psycopg.Connection) -> list[int]:
    rows = connection.execute(
        "select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
        " and backend_type = 'client backend' order by pid"
    )
    return [pid for (pid,) in rows]


def test_a_connection_is_kept_from_one_statement_to_the_next(
    runs: SqlRunStorage, connection: psycopg.Connection
) -> None:
    runs.get_runs_count()
    first = server_processes(connection)
    runs.get_runs_count()

    assert first
    assert server_processes(connection) == first


def test_a_connection_that_the_server_has_ended_is_replaced(
    runs: SqlRunStorage, connection: psycopg.Connection
) -> None:
    runs.get_runs_count()
    connection.execute(
        "select pg_terminate_backend(pid, 5000) from pg_stat_activity"
        " where datname = current_database() and pid <> pg_backend_pid() and usename = current_user"
    )

    assert runs.get_runs_count() == 0


def test_a_run_of_the_command_line_is_in_the_timeline_of_the_web_page(runs: SqlRunStorage) -> None:
    """The page files runs under their job by repository and code location, and leaves out those without."""
    created = DagsterRun(job_name="daily_refresh", run_id=str(uuid4()))
    assert runs.add_run(created) == created

    [stored] = runs.get_runs(RunsFilter(tags={".dagster/repository": "__repository__@warehouse"}))
    assert stored.job_name == "daily_refresh"
    assert stored.remote_job_origin is not None
    assert stored.remote_job_origin.repository_origin.repository_name == "__repository__"
    assert stored.remote_job_origin.location_name == "warehouse"


def test_the_settings_of_the_checkout_name_this_storage(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAREHOUSE_STORAGE_URL", warehouse.dagster_storage_url)
    settings = yaml.safe_load(Path(CHECKOUT, ".dagster", "dagster.yaml").read_text())["storage"]["custom"]

    assert (settings["module"], settings["class"]) == (PooledStorage.__module__, PooledStorage.__name__)
    assert process_config(PooledStorage.config_type(), settings["config"]).success


@pytest.fixture
def away(warehouse: Warehouse) -> SqlRunStorage:
    """A storage whose server has gone since."""
    storage = PooledStorage.from_config_value(None, {"postgres_url": warehouse.dagster_storage_url})
    engine = create_engine("postgresql+psycopg2://nobody:secret@127.0.0.1:9/nowhere", pool_pre_ping=True)
    storage_outage.wait_when_connecting(engine, seconds=0.6)
    storage.run_storage._engine = engine  # type: ignore[attr-defined]
    return storage.run_storage  # type: ignore[misc]


def test_a_server_that_is_away_is_told_in_one_sentence(away: SqlRunStorage) -> None:
    with pytest.raises(storage_outage.StorageUnavailable) as caught:
        away.get_runs_count()
    assert "Connection refused" in str(caught.value)
    assert "make ui starts its embedded server again" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_the_log_of_an_outage_has_a_line_an_error_and_no_stack(
    away: SqlRunStorage, caplog: pytest.LogCaptureFixture
) -> None:
    try:
        away.get_runs_count()
    except storage_outage.StorageUnavailable:
        logging.getLogger("dagster.daemon").exception("Sensor daemon caught an error")
    (record,) = [record for record in caplog.records if record.name == "dagster.daemon"]
    assert record.exc_info is None
    assert record.getMessage().startswith("Sensor daemon caught an error: the Postgres server with Dagster's tables")


def test_a_stack_that_dagster_has_made_text_of_is_left_out_too(
    away: SqlRunStorage, caplog: pytest.LogCaptureFixture
) -> None:
    lost = "psycopg2.OperationalError: server closed the connection unexpectedly"
    logging.getLogger("dagster.daemon").error(f"Caught error:\n{lost}\n\nStack Trace:\n  File 'a.py', line 1\n")
    logging.getLogger("dagster.daemon").error("Caught error:\nKeyError: 'x'\n\nStack Trace:\n  File 'a.py', line 1")
    outage, mistake = [record.getMessage() for record in caplog.records if record.name == "dagster.daemon"]
    assert outage == f"Caught error: {lost}"
    assert "Stack Trace" in mistake, "a mistake keeps its stack"


@pytest.mark.parametrize("path", ["/graphql", "/runs"])
def test_the_page_says_in_a_sentence_that_the_server_is_away(path: str) -> None:
    async def page(scope: object, receive: object, send: object) -> None:
        raise storage_outage.StorageUnavailable("the Postgres server does not answer")

    from starlette.testclient import TestClient

    answer = TestClient(storage_outage.OutageSentence(page)).get(path)  # type: ignore[arg-type]
    assert answer.status_code == 503
    assert "the Postgres server does not answer" in answer.text
    if path == "/graphql":
        assert answer.json()["errors"][0]["message"] == "the Postgres server does not answer"


def test_an_error_of_another_kind_is_left_to_dagster() -> None:
    async def page(scope: object, receive: object, send: object) -> None:
        raise KeyError("a mistake")

    from starlette.testclient import TestClient

    with pytest.raises(KeyError):
        TestClient(storage_outage.OutageSentence(page)).get("/runs")  # type: ignore[arg-type]
