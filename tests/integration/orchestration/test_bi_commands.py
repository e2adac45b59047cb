"""Dashboards before their server starts: its settings, its metadata database, and what stops it with a sentence."""

import socket
import zipfile
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from orchestration.cli.dashboard_server import DashboardServer, DashboardServerError
from orchestration.cli.dashboard_settings import METADATA_DATABASE, METADATA_OWNER, assert_published, settings_for
from tests.support.command_line import run_command
from tests.support.databases import superuser
from warehouse.connection import Warehouse
from warehouse.embedded.data_dir import read_json

METADATA = "postgresql://superset_owner:secret@db.example:5432/superset"


@pytest.fixture
def clean_server(warehouse: Warehouse) -> Warehouse:
    """A server on which no dashboards were set up, before and after."""
    with superuser(warehouse) as connection:
        connection.execute(f"drop database if exists {METADATA_DATABASE} with (force)")
        connection.execute(f"drop role if exists {METADATA_OWNER}")
    return warehouse


def test_without_a_published_day_the_sentence_says_what_to_do(warehouse: Warehouse) -> None:
    with pytest.raises(DashboardServerError, match=r"nothing is published yet.*run make demo"):
        assert_published(warehouse)


def test_the_embedded_server_gets_a_metadata_database_that_only_its_owner_enters(
    clean_server: Warehouse, tmp_path: Path
) -> None:
    settings = settings_for(clean_server, tmp_path / "dashboards", {})
    again = settings_for(clean_server, tmp_path / "dashboards", {})

    assert again == settings
    assert settings.connections["bi_reader"] == clean_server.bi_dsn
    with psycopg.connect(settings.metadata_url.replace("+psycopg2", "")) as connection:
        connection.execute("create table own (number int)")
        connection.rollback()
    with pytest.raises(psycopg.OperationalError, match="permission denied"):
        psycopg.connect(clean_server.bi_dsn.replace("/warehouse", f"/{METADATA_DATABASE}"))
    with (
        psycopg.connect(settings.metadata_url.replace("+psycopg2", ""), dbname="warehouse") as own,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        own.execute("select * from raw.events")


def test_secrets_are_for_the_owner_alone_and_variables_win(clean_server: Warehouse, tmp_path: Path) -> None:
    folder = tmp_path / "dashboards"
    generated = settings_for(clean_server, folder, {})
    given = settings_for(
        clean_server, folder, {"WAREHOUSE_BI_ADMIN_PASSWORD": "mine", "WAREHOUSE_BI_SECRET_KEY": "key"}
    )

    assert (given.admin_password, given.secret_key) == ("mine", "key")
    assert generated.admin_password == read_json(folder / "secrets.json")["admin_password"]
    assert (folder / "secrets.json").stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    assert "mine" not in (folder / "secrets.json").read_text()
    assert zipfile.is_zipfile(generated.bundle)
    assert "mine" not in repr(given)


def test_a_postgres_of_ones_own_needs_a_metadata_database(warehouse: Warehouse, tmp_path: Path) -> None:
    own = replace(warehouse, superuser_password=None)

    with pytest.raises(DashboardServerError, match="create database superset owner superset_owner"):
        settings_for(own, tmp_path, {})
    found = settings_for(own, tmp_path, {"WAREHOUSE_BI_METADATA_URL": METADATA})
    assert found.metadata_url == METADATA.replace("postgresql", "postgresql+psycopg2")
    with pytest.raises(DashboardServerError, match="set WAREHOUSE_BI_PASSWORD"):
        settings_for(replace(own, reader_passwords={}), tmp_path, {})


def test_a_second_server_of_a_folder_is_refused(tmp_path: Path) -> None:
    server = DashboardServer(tmp_path, Path("python"))
    lock = server._lock()

    with pytest.raises(DashboardServerError, match=r"run already \(process \d+\); make stop ends them"):
        DashboardServer(tmp_path, Path("python"))._lock()
    assert lock > 0


def test_nothing_to_stop_is_no_error(tmp_path: Path) -> None:
    assert not DashboardServer(tmp_path, Path("python")).stop()


def test_a_missing_environment_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command("bi", "--python", str(tmp_path / "python"), "serve") == 1
    assert "Superset is not installed yet; make bi installs it" in capsys.readouterr().err


@pytest.mark.parametrize("port", ["no port", "0", "70000"])
def test_a_wrong_port_is_named(port: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from orchestration.cli import bi

    monkeypatch.setenv("WAREHOUSE_BI_PORT", port)
    with pytest.raises(DashboardServerError, match="a number from 1 to 65535"):
        bi._free_port()


def test_a_taken_port_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from orchestration.cli import bi

    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        monkeypatch.setenv("WAREHOUSE_BI_PORT", str(other.getsockname()[1]))
        with pytest.raises(DashboardServerError, match="WAREHOUSE_BI_PORT names another port"):
            bi._free_port()
