"""Provisioning of a warehouse: repeatable, without waiting for readers, and clear about missing rights."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from orchestration.cli.provision import prepare
from warehouse.connection import Warehouse, WarehouseUnavailable
from warehouse.embedded.server import EmbeddedServer
from warehouse.roles import hardening


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
            " 'access'::regnamespace, 'marts'::regnamespace, 'rollups'::regnamespace)"
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


@pytest.fixture
def bare_server(open_folder: Path) -> Iterator[EmbeddedServer]:
    """A server without roles, schemas and databases of the warehouse."""
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
