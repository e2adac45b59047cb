"""Requirements of the server and login of WAREHOUSE_URL, each reported in one sentence."""

import os
import subprocess
import sys
from dataclasses import replace

import psycopg
import pytest

from orchestration.cli.provision import prepare
from warehouse import requirements
from warehouse.connection import Warehouse, WarehouseUnavailable
from warehouse.roles.readers import READERS

OWN_SCHEMAS = ["raw", "marts"]


@pytest.mark.parametrize("reader", [reader.name for reader in READERS])
def test_the_dsn_of_a_reader_is_no_warehouse(warehouse: Warehouse, reader: str) -> None:
    command = [sys.executable, "-m", "orchestration", "start"]
    environment = os.environ | warehouse.environment() | {"WAREHOUSE_URL": warehouse.dsn(reader)}
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)

    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert done.stderr.startswith("error: the warehouse at 127.0.0.1, port ")
    assert f"knows user {reader} as a reader of marts; let WAREHOUSE_URL name the owner" in done.stderr


def test_another_user_than_the_owner_is_told_who_the_owner_is(warehouse: Warehouse) -> None:
    stranger = replace(warehouse, user="stranger", password="stranger", superuser_password=None)
    with psycopg.connect(warehouse.superuser_url("warehouse"), autocommit=True) as superuser:
        superuser.execute("create role stranger login password 'stranger'")
        superuser.execute("grant connect on database warehouse to stranger")
        try:
            with pytest.raises(WarehouseUnavailable, match=r"schema \w+ belongs to warehouse_owner; let WAREHOUSE_URL"):
                prepare(stranger)
            # One who may act for the owner does no harm.
            superuser.execute("grant warehouse_owner to stranger")
            with stranger.connect() as connection:
                requirements.assert_suitable(stranger, connection, OWN_SCHEMAS)
        finally:
            superuser.execute("drop owned by stranger")
            superuser.execute("drop role stranger")


def test_a_read_only_login_is_told_how_that_ends(warehouse: Warehouse) -> None:
    external = replace(warehouse, superuser_password=None)
    with external.connect(autocommit=True) as connection:
        connection.execute("set default_transaction_read_only = on")
        with pytest.raises(WarehouseUnavailable, match=r"begins read-only for user warehouse_owner; .* alter role"):
            requirements.assert_suitable(external, connection, OWN_SCHEMAS)


def test_a_standby_server_is_told_to_be_none(warehouse: Warehouse) -> None:
    with warehouse.connect() as connection:
        connection.execute("create function marts.pg_is_in_recovery() returns boolean return true")
        connection.execute("set search_path = marts, pg_catalog")
        with pytest.raises(WarehouseUnavailable, match=r"is a standby server, which is read-only; .* the primary"):
            requirements.assert_suitable(warehouse, connection, OWN_SCHEMAS)


def test_a_server_that_is_too_old_is_told_which_is_needed(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requirements, "OLDEST_VERSION", 99)
    with (
        warehouse.connect() as connection,
        pytest.raises(WarehouseUnavailable, match=r"is Postgres 1\d\.\d+; Postgres 99 or newer is needed"),
    ):
        requirements.assert_suitable(warehouse, connection, OWN_SCHEMAS)


def test_whatever_postgres_refuses_meanwhile_is_one_sentence(warehouse: Warehouse) -> None:
    with warehouse.connect(autocommit=True) as connection:
        connection.execute("drop table ops.writer")
        connection.execute("create view ops.writer as select 1 as build_id")
    with pytest.raises(WarehouseUnavailable, match="cannot be prepared by user warehouse_owner: ") as raised:
        prepare(warehouse)
    assert "\n" not in str(raised.value)
