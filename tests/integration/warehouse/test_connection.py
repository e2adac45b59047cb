"""Where the warehouse is, what is said when it cannot be reached, and who may do what in it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
import sqlalchemy

from orchestration.cli.provision import prepare
from warehouse.connection import PasswordRefused, Warehouse, WarehouseUnavailable
from warehouse.embedded.server import EmbeddedServer
from warehouse.reader_roles import READERS
from warehouse.roles import hardening

NOBODY_LISTENS = "postgresql://someone:hush-hush@127.0.0.1:1/warehouse"


@pytest.fixture
def reader(warehouse: Warehouse) -> Iterator[psycopg.Connection]:
    """A BI tool's connection that has switched off what a BI tool may switch off."""
    with psycopg.connect(warehouse.bi_dsn, autocommit=True) as connection:
        connection.execute("set default_transaction_read_only = off")
        connection.execute("set statement_timeout = 0")
        yield connection


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


def test_bi_reads_marts_including_tables_that_come_later(warehouse: Warehouse, reader: psycopg.Connection) -> None:
    with warehouse.connect() as owner:
        owner.execute("create table marts.numbers as select 42 as number")

    assert reader.execute("select number from marts.numbers").fetchone() == (42,)


@pytest.mark.parametrize("schema", ["raw", "ops", "staging", "intermediate", "build", "dagster", "public"])
def test_bi_reads_nothing_else(warehouse: Warehouse, reader: psycopg.Connection, schema: str) -> None:
    with warehouse.connect() as owner:
        owner.execute(f"create table {schema}.secrets as select 42 as number")

    with pytest.raises(psycopg.errors.InsufficientPrivilege, match=f"schema {schema}"):
        reader.execute(f"select number from {schema}.secrets")


@pytest.mark.parametrize(
    "statement",
    [
        "insert into marts.numbers values (1)",
        "update marts.numbers set number = 1",
        "delete from marts.numbers",
        "truncate marts.numbers",
        "drop table marts.numbers",
        "create table marts.own (number int)",
        "create table public.own (number int)",
        "create temporary table own (number int)",
        "create schema own",
        "select lo_create(0)",
        "select lo_from_bytea(0, 'x')",
        "select pg_advisory_lock(1)",
        "select pg_try_advisory_xact_lock_shared(1, 2)",
        "copy marts.numbers to program 'true'",
        "select pg_read_file('/etc/passwd')",
        "set role warehouse_owner",
    ],
)
def test_bi_changes_and_blocks_nothing(warehouse: Warehouse, reader: psycopg.Connection, statement: str) -> None:
    with warehouse.connect() as owner:
        owner.execute("create table marts.numbers as select 42 as number")

    with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.UndefinedTable)):
        reader.execute(statement)
    with warehouse.connect() as owner:
        assert owner.execute("select array_agg(number) from marts.numbers").fetchone() == ([42],)


def test_bi_is_read_only_and_limited_in_time_unless_it_says_otherwise(warehouse: Warehouse) -> None:
    with psycopg.connect(warehouse.bi_dsn) as connection:
        assert connection.execute("show default_transaction_read_only").fetchone() == ("on",)
        assert connection.execute("show statement_timeout").fetchone() == ("5min",)


@pytest.mark.parametrize("database", ["postgres", "template1", "marketplace"])
def test_readers_enter_no_other_database(warehouse: Warehouse, database: str) -> None:
    for reader in READERS:
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            psycopg.connect(warehouse.dsn(reader.name), dbname=database)


def test_each_reader_has_settings_and_a_limit_of_its_own(warehouse: Warehouse) -> None:
    for reader in READERS:
        with psycopg.connect(warehouse.dsn(reader.name)) as connection:
            row = connection.execute(
                "select array(select unnest(rolconfig) order by 1), rolconnlimit from pg_roles"
                " where rolname = current_user"
            ).fetchone()
            config = [f"{name}={value}" for name, value in {**reader.settings, **reader.limits}.items()]
            assert row == (sorted(config), reader.connections)


def test_a_setting_that_a_reader_changed_for_good_is_set_back(warehouse: Warehouse) -> None:
    with psycopg.connect(warehouse.dsn("creator_portal"), autocommit=True) as portal:
        portal.execute("set default_transaction_read_only = off")
        portal.execute("alter role creator_portal set statement_timeout = 0")
        portal.execute("alter role creator_portal password 'taken'")
    prepare(warehouse)
    with psycopg.connect(warehouse.dsn("creator_portal")) as portal:
        assert portal.execute("show statement_timeout").fetchone() == ("30s",)


def rights(warehouse: Warehouse) -> object:
    with warehouse.connect() as connection:
        return connection.execute(
            """
            select
                (select array_agg((datname, datacl, xmin) order by datname) from pg_database),
                (select array_agg((nspname, nspacl, xmin) order by nspname) from pg_namespace where nspname !~ '^pg_'),
                (select array_agg((oid, defaclacl, xmin) order by oid) from pg_default_acl),
                (select array_agg((setrole, setconfig, xmin) order by setrole) from pg_db_role_setting),
                (select array_agg((oid, proacl, xmin) order by oid) from pg_proc where oid < 16384)
            """
        ).fetchone()


def test_preparing_again_changes_nothing(warehouse: Warehouse) -> None:
    before = rights(warehouse)
    prepare(warehouse)

    assert rights(warehouse) == before


def test_preparing_again_waits_for_nobody_who_reads(warehouse: Warehouse) -> None:
    """A statement that waits for a long query has every later query wait behind it."""
    hasty = replace(warehouse, parameters=(("options", "-clock_timeout=2s -ctimezone=UTC"),))
    with warehouse.connect() as reader:
        tables = reader.execute(
            "select oid::regclass::text from pg_class"
            " where relkind in ('r', 'p') and relnamespace in ('raw'::regnamespace, 'ops'::regnamespace,"
            " 'access'::regnamespace, 'marts'::regnamespace, 'published'::regnamespace)"
        ).fetchall()
        assert ("access.logins",) in tables
        for (table,) in tables:
            reader.execute(f"lock table {table} in access share mode")
        prepare(hasty)


def test_several_may_prepare_at_once(warehouse: Warehouse) -> None:
    with psycopg.connect(warehouse.superuser_url("postgres"), autocommit=True) as superuser:
        superuser.execute("drop database warehouse with (force)")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(prepare, [warehouse] * 4))

    with psycopg.connect(warehouse.bi_dsn) as connection:
        assert connection.execute("select has_schema_privilege('marts', 'usage')").fetchone() == (True,)


def test_a_right_that_was_given_away_by_hand_is_taken_back(warehouse: Warehouse, reader: psycopg.Connection) -> None:
    with warehouse.connect() as owner:
        owner.execute("grant usage, create on schema raw to public")
        owner.execute("grant temporary on database warehouse to bi_reader")

    prepare(warehouse)

    for statement in ("create table raw.own (number int)", "create temporary table own (number int)"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute(statement)


@pytest.fixture
def bare_server(open_folder: Path) -> Iterator[EmbeddedServer]:
    """A server that nobody has prepared."""
    checkout = open_folder / f"bare-{os.urandom(4).hex()}"
    checkout.mkdir()
    server = EmbeddedServer(checkout, durable=False, first_port=28_432)
    server.start()
    yield server
    server.remove()


def test_a_login_without_the_right_to_create_roles_is_told_the_statements_to_run(bare_server: EmbeddedServer) -> None:
    embedded = Warehouse.from_embedded(bare_server)
    url = f"postgresql://tenant:tenant@{embedded.host}:{embedded.port}/analytics"
    passwords = {"WAREHOUSE_BI_PASSWORD": "hush-hush", "WAREHOUSE_CREATOR_PORTAL_PASSWORD": "hush-hush"}
    external = Warehouse.from_url(url, passwords)
    with psycopg.connect(embedded.superuser_url("postgres"), autocommit=True) as superuser:
        superuser.execute("create role tenant login password 'tenant'")
        superuser.execute("create database analytics owner tenant")
        with pytest.raises(WarehouseUnavailable, match="user tenant may not prepare") as raised:
            prepare(external)
        statements = [line.strip() for line in str(raised.value).splitlines() if line.endswith(";")]
        assert "hush" not in str(raised.value)
        assert statements[0].startswith("create role bi_reader")

        for statement in statements:
            superuser.execute(statement.replace("'...'", "'hush-hush'"))
        prepare(external)

    with external.connect() as owner:
        owner.execute("create table marts.numbers as select 42 as number")
        owner.execute("create table raw.numbers as select 42 as number")
    with psycopg.connect(external.bi_dsn) as reader:
        assert reader.execute("select number from marts.numbers").fetchone() == (42,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute("select number from raw.numbers")
    with (
        psycopg.connect(external.dsn("creator_portal")) as portal,
        pytest.raises(psycopg.errors.InsufficientPrivilege, match="table numbers"),
    ):
        portal.execute("select number from marts.numbers")
    with psycopg.connect(embedded.superuser_url("analytics"), autocommit=True) as superuser:
        with external.connect() as owner:
            todo = hardening.statements(owner, owner="tenant")
        assert todo
        for statement in todo:
            superuser.execute(statement)
        with external.connect() as owner:
            assert hardening.statements(owner, owner="tenant") == []
            owner.execute("select pg_try_advisory_lock(1), pg_get_viewdef('pg_views'::regclass)")
    with (
        psycopg.connect(external.bi_dsn) as reader,
        pytest.raises(psycopg.errors.InsufficientPrivilege, match="pg_try_advisory_lock"),
    ):
        reader.execute("select pg_try_advisory_lock(1)")


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
