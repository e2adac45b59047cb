"""Connection to the warehouse: by WAREHOUSE_URL or the embedded server, and the errors when it cannot be reached."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
import sqlalchemy

from warehouse.connection import PasswordRefused, Warehouse, WarehouseUnavailable
from warehouse.embedded.server import EmbeddedServer

NOBODY_LISTENS = "postgresql://someone:hush-hush@127.0.0.1:1/warehouse"


def test_without_a_url_the_warehouse_is_the_embedded_server_of_the_checkout(test_server: EmbeddedServer) -> None:
    located = Warehouse.from_environment({}, checkout=test_server.folder.checkout)

    assert located.is_embedded
    assert located.port == test_server.status().port
    assert located.database == "warehouse"


def test_processes_that_are_told_the_embedded_url_see_the_same_warehouse(test_server: EmbeddedServer) -> None:
    located = Warehouse.from_environment({}, checkout=test_server.folder.checkout)

    assert Warehouse.from_environment(located.environment(), checkout=test_server.folder.checkout) == located


@pytest.mark.parametrize("url", [NOBODY_LISTENS, "postgresql://someone@127.0.0.1/", "warehouse", "mysql://a:b@c/d"])
def test_a_url_that_is_wrong_never_leads_to_the_embedded_server(tmp_path: Path, url: str) -> None:
    with pytest.raises(WarehouseUnavailable):
        Warehouse.from_environment({"WAREHOUSE_URL": url}, checkout=tmp_path).connect()

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("postgresql://someone:hush-hush@host.example", "names no database"),
        ("postgresql://host.example/warehouse", "names no user"),
        ("postgresql://someone:hush-hush@/warehouse", "names no host"),
        ("postgresql://someone:hush-hush@%2Ftmp/warehouse", "reached by TCP"),
        ("postgresql://someone:hush-hush@one,two/warehouse", "one host"),
        ("postgresql://someone:hush-hush@host.example:abc/warehouse", "the port 'abc'"),
        ("postgresql://someone:hush-hush@host.example:99999/warehouse", "the port '99999'"),
        ("postgresql://someone:hush-hush@host.example:1,two:2/warehouse", "one host"),
        ("postgresql://someone:hush-hush@host.example/warehouse?options=-cjit%3Don", "options"),
        ("postgresql://someone:100%hush-hush@host.example/warehouse", "%XX"),
        ("postgresql+psycopg://someone:hush-hush@host.example/warehouse", "postgresql://"),
        ("host=host.example user=someone password=hush-hush dbname=warehouse", "not a Postgres URL"),
    ],
)
def test_a_url_that_cannot_be_used_is_explained_without_its_password(url: str, complaint: str) -> None:
    with pytest.raises(WarehouseUnavailable) as raised:
        Warehouse.from_url(url)

    assert complaint in str(raised.value)
    assert "WAREHOUSE_URL" in str(raised.value)
    assert "hush" not in str(raised.value)


def test_a_server_that_is_not_reachable_is_named_with_what_to_do() -> None:
    with pytest.raises(WarehouseUnavailable, match=r"127\.0\.0\.1, port 1 cannot be reached.*WAREHOUSE_URL") as raised:
        Warehouse.from_url(NOBODY_LISTENS).connect()

    assert "hush" not in str(raised.value)


def test_a_wrong_password_names_the_user_and_the_passwords_source(warehouse: Warehouse) -> None:
    wrong = Warehouse.from_url(replace(warehouse, password="hush-hush").url)
    with pytest.raises(PasswordRefused, match=r"password of user warehouse_owner; it comes from WAREHOUSE_URL"):
        wrong.connect()

    with pytest.raises(PasswordRefused, match=r"credentials\.json") as raised:
        replace(warehouse, password="hush-hush").connect()
    assert "hush" not in str(raised.value)


def test_a_missing_database_is_named(warehouse: Warehouse) -> None:
    with pytest.raises(WarehouseUnavailable, match="no database elsewhere"):
        replace(warehouse, database="elsewhere").connect()


def test_no_password_shows_when_a_warehouse_is_printed(warehouse: Warehouse) -> None:
    shown = repr(warehouse)

    for secret in (warehouse.password, warehouse.bi_password, warehouse.superuser_password):
        assert secret
        assert secret not in shown


def test_special_characters_of_a_password_survive_in_every_url() -> None:
    password = "p@ss/w:rd%20 ü?#&"
    given = replace(Warehouse.from_url(NOBODY_LISTENS), password=password)

    assert Warehouse.from_url(given.url).password == password
    for url in (given.sqlalchemy_url, given.dagster_storage_url):
        assert sqlalchemy.make_url(url).password == password


def test_tls_parameters_of_the_url_reach_every_tool() -> None:
    given = Warehouse.from_url("postgresql://someone:secret@host.example/warehouse?sslmode=verify-full")

    assert given.port == 5432
    assert given.dbt_env()["PGSSLMODE"] == "verify-full"
    for url in (given.url, given.sqlalchemy_url, given.dagster_storage_url, given.bi_dsn):
        assert "sslmode=verify-full" in url


def test_an_external_warehouse_has_no_application_database_of_its_own() -> None:
    application = "postgresql://reader@db.example/product"

    assert Warehouse.from_url(NOBODY_LISTENS).application_url is None
    assert "APP_DATABASE_URL" not in Warehouse.from_url(NOBODY_LISTENS).environment()
    assert Warehouse.from_url(NOBODY_LISTENS, {"APP_DATABASE_URL": application}).application_url == application


def test_every_url_reaches_the_warehouse(warehouse: Warehouse) -> None:
    assert warehouse.application_url is not None
    with psycopg.connect(warehouse.application_url) as connection:
        assert connection.info.dbname == "marketplace"
    for url in (warehouse.sqlalchemy_url, warehouse.dagster_storage_url):
        engine = sqlalchemy.create_engine(url)
        with engine.connect() as connection:
            assert connection.execute(sqlalchemy.text("select current_database()")).scalar() == "warehouse"
            schema = connection.execute(sqlalchemy.text("select current_schema()")).scalar()
            assert (schema == "dagster") == (url == warehouse.dagster_storage_url)
        engine.dispose()


def test_the_pipeline_is_no_superuser(connection: psycopg.Connection) -> None:
    rights = connection.execute("select rolsuper, rolcreaterole from pg_roles where rolname = current_user").fetchone()

    assert rights == (False, False)


def run(warehouse: Warehouse, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "orchestration", *arguments]
    environment = os.environ | warehouse.environment()
    return subprocess.run(command, check=False, capture_output=True, text=True, env=environment)


def test_the_dsn_is_printed_alone(warehouse: Warehouse) -> None:
    assert run(warehouse, "dsn").stdout == f"{warehouse.bi_dsn}\n"


def test_a_command_runs_in_the_environment_of_the_warehouse(warehouse: Warehouse, tmp_path: Path) -> None:
    warehouse = replace(warehouse, dagster_home=str(tmp_path / "dagster"))
    done = run(warehouse, "exec", "--", "sh", "-c", "echo $WAREHOUSE_PORT $DBT_TARGET; ls -d $DAGSTER_HOME; exit 7")

    assert done.stdout == f"{warehouse.port} warehouse\n{tmp_path / 'dagster'}\n"
    assert done.returncode == 7


def test_the_printed_environment_is_understood_by_a_shell(warehouse: Warehouse) -> None:
    printed = run(warehouse, "env").stdout
    shell = ["sh", "-c", f'{printed}\necho "$WAREHOUSE_STORAGE_URL"']
    seen = subprocess.run(shell, check=True, capture_output=True, text=True).stdout

    assert seen == f"{warehouse.dagster_storage_url}\n"


def test_a_warehouse_that_is_not_there_is_one_line_on_the_command_line() -> None:
    done = run(Warehouse.from_url(NOBODY_LISTENS), "exec", "--", "true")

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("error: the warehouse at 127.0.0.1, port 1 cannot be reached")
    assert done.stderr.count("\n") == 1
