"""The drivers that BI tools bring, as bi_reader: what they list, read, and are refused.

They are no Python packages. On Debian: unixodbc, odbc-postgresql; libpostgresql-jdbc-java, default-jdk-headless. Where
one is missing its test is skipped and says so.
"""

import os
import shutil
import subprocess
from pathlib import Path

import psycopg
import pytest
import sqlalchemy

from publishing.live_views.creation import VIEWS as ALL_LIVE_VIEWS
from tests.support.handmade_marts import DAY, build, column, mart, publish_by_hand
from warehouse.connection import Warehouse

JDBC_DRIVER = Path("/usr/share/java/postgresql.jar")
CLIENT = Path(__file__).parents[2] / "clients" / "Marts.java"
LIVE_VIEWS = {
    name.removeprefix("marts."): comments[""]
    for name, (_, comments) in ALL_LIVE_VIEWS.items()
    if name.startswith("marts.")
}
VIEWS = mart("views", column("asset", description="Whose views; it's an id."), column("views", "bigint"))
READ = "select asset, views from views order by asset"
# Statement, and the SQLSTATE of the refusal: 25006 is a read-only transaction, 42501 a right that is missing.
REFUSED = {
    "insert into marts.views (views) values (1)": "25006",
    "create temporary table own (number int)": "25006",
    "select event_key, event_id from raw.events": "42501",
    "select run_id, build_id from ops.published_days": "42501",
}


@pytest.fixture
def warehouse(warehouse: Warehouse, connection: psycopg.Connection) -> Warehouse:
    """With a mart of two rows."""
    connection.autocommit = True
    build(connection, {VIEWS: [("asset-1", 7), ("asset-2", 2**53 + 1)]}, [DAY])
    publish_by_hand(warehouse, [VIEWS])
    # The server of the tests hashes passwords as little as it can, which JDBC refuses to take part in.
    with psycopg.connect(warehouse.superuser_url(warehouse.database)) as superuser:
        superuser.execute("set scram_iterations = 4096")
        superuser.execute(f"alter role bi_reader password '{warehouse.bi_password}'")
    return warehouse


def jdbc(warehouse: Warehouse, *statements: str) -> list[list[str]]:
    """Run a client and return its output as words."""
    url = f"jdbc:postgresql://{warehouse.host}:{warehouse.port}/{warehouse.database}"
    done = subprocess.run(
        ["java", "-Xshare:auto", "-cp", str(JDBC_DRIVER), str(CLIENT), url, "bi_reader", *statements],  # noqa: S607
        check=True,
        capture_output=True,
        text=True,
        env=os.environ | {"PGPASSWORD": str(warehouse.bi_password)},
    )
    return [line.split("\t") for line in done.stdout.splitlines()]


@pytest.mark.skipif(not shutil.which("javac"), reason="no JDK is installed (default-jdk-headless)")
@pytest.mark.skipif(not JDBC_DRIVER.exists(), reason="no JDBC driver is installed (libpostgresql-jdbc-java)")
def test_a_jdbc_client_lists_reads_and_is_refused(warehouse: Warehouse) -> None:
    said = jdbc(warehouse, READ, *REFUSED, "set default_transaction_read_only = off", *REFUSED)

    assert [words[1:] for words in said if words[0] == "table"] == [
        ["views", "TABLE", "About views."],
        *([name, "VIEW", LIVE_VIEWS[name]] for name in sorted(LIVE_VIEWS)),
    ]
    columns = [words[2:] for words in said if words[:2] == ["column", "views"]]
    assert columns == [
        ["metric_date", "date", "The metric_date."],
        ["asset", "text", "Whose views; it's an id."],
        ["views", "int8", "The views."],
    ]
    assert [words[1] for words in said if words[0] == "metadata"] == [
        "schemas",
        "types",
        "keys",
        "indexes",
        "functions",
    ]
    assert [words[2:] for words in said if words[0] == "row"] == [["asset-1", "7"], ["asset-2", "9007199254740993"]]
    refused = [words[2] for words in said if words[0] == "refused"]
    assert refused == [*REFUSED.values(), *["42501"] * len(REFUSED)], "read-only by setting, and by right without it"
    assert [words[1] for words in said if words[0] == "done"] == ["5"], "only the setting could be set"


def test_tools_that_reflect_by_sqlalchemy_see_tables_columns_and_comments(warehouse: Warehouse) -> None:
    engine = sqlalchemy.create_engine(warehouse.bi_dsn.replace("postgresql:", "postgresql+psycopg:"))
    found = sqlalchemy.inspect(engine)
    assert found.get_table_names("marts") == ["views"]
    assert sorted(found.get_view_names("marts")) == sorted(LIVE_VIEWS)
    assert found.get_table_comment("views", "marts") == {"text": "About views."}
    assert [column["comment"] for column in found.get_columns("views", "marts")][1] == "Whose views; it's an id."
    assert [index["name"] for index in found.get_indexes("views", "marts")] == ["views_grain"]
    assert found.get_pk_constraint("views", "marts")["constrained_columns"] == []
    engine.dispose()


def odbc(warehouse: Warehouse, statement: str) -> str:
    """Run isql and return its output: rows with a bar after each column, or an error."""
    login = {
        "DRIVER": "PostgreSQL Unicode",
        "SERVER": warehouse.host,
        "PORT": str(warehouse.port),
        "DATABASE": warehouse.database,
        "UID": "bi_reader",
        "PWD": str(warehouse.bi_password),
    }
    done = subprocess.run(
        ["isql", "-b", "-v", "-d|", "-k", ";".join(f"{name}={value}" for name, value in login.items())],  # noqa: S607
        check=True,
        capture_output=True,
        text=True,
        input=f"{statement}\n",
    )
    return done.stdout + done.stderr


def has_odbc_driver() -> bool:
    if not shutil.which("isql") or not shutil.which("odbcinst"):
        return False
    drivers = subprocess.run(["odbcinst", "-q", "-d"], check=False, capture_output=True, text=True)  # noqa: S607
    return "[PostgreSQL Unicode]" in drivers.stdout


@pytest.mark.skipif(not has_odbc_driver(), reason="no ODBC driver is installed (unixodbc, odbc-postgresql)")
def test_an_odbc_client_lists_reads_and_is_refused(warehouse: Warehouse) -> None:
    tables = odbc(warehouse, "help").splitlines()
    assert [line for line in tables if "|marts|" in line] == [
        *(f"warehouse|marts|{name}|VIEW|" for name in sorted(LIVE_VIEWS)),
        "warehouse|marts|views|TABLE|",
    ]
    columns = [line.split("|")[3:6] for line in odbc(warehouse, "help views").splitlines() if "|marts|" in line]
    assert columns == [["metric_date", "9", "date"], ["asset", "-1", "text"], ["views", "-5", "int8"]]
    # This driver hands on no comments; they are to be had by asking.
    comments = "select obj_description('views'::regclass), col_description('views'::regclass, 2)"
    assert odbc(warehouse, comments).strip() == "About views.|Whose views; it's an id."
    assert odbc(warehouse, READ).splitlines() == ["asset-1|7", "asset-2|9007199254740993"]
    for statement, state in REFUSED.items():
        assert f"[{state}]" in odbc(warehouse, statement)
        assert "[42501]" in odbc(warehouse, f"set default_transaction_read_only = off\n{statement}")
