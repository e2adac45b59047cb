"""Rights and limits of BI tools: they read marts and nothing else."""

from collections.abc import Iterator

import psycopg
import pytest

from orchestration.cli.provision import prepare
from warehouse.connection import Warehouse
from warehouse.roles.readers import READERS


@pytest.fixture
def reader(warehouse: Warehouse) -> Iterator[psycopg.Connection]:
    """A BI tool's connection that has switched off what a BI tool may switch off."""
    with psycopg.connect(warehouse.bi_dsn, autocommit=True) as connection:
        connection.execute("set default_transaction_read_only = off")
        connection.execute("set statement_timeout = 0")
        yield connection


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


def test_a_right_that_was_given_away_by_hand_is_taken_back(warehouse: Warehouse, reader: psycopg.Connection) -> None:
    with warehouse.connect() as owner:
        owner.execute("grant usage, create on schema raw to public")
        owner.execute("grant temporary on database warehouse to bi_reader")

    prepare(warehouse)

    for statement in ("create table raw.own (number int)", "create temporary table own (number int)"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute(statement)
