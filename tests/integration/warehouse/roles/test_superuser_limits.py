"""Limits that hold against readers who have SQL: room for temporary files, and what of their errors is logged."""

from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest

from orchestration.cli.provision import prepare
from warehouse.connection import Warehouse
from warehouse.roles import hardening, logins, superuser_limits
from warehouse.roles.logins import Login
from warehouse.roles.readers import BI_READER, BRANDS, CREATORS, Reader

GIANT_SORT = (
    "select count(*) from (select number, repeat('x', 1000) from generate_series(1, 2000000) as number order by 2, 1)"
)
READERS = {
    "bi_reader": BI_READER,
    "creator_portal": CREATORS.portal,
    "brand_portal": BRANDS.portal,
    "studio_one": CREATORS.login("studio_one"),
    "label_one": BRANDS.login("label_one"),
}


@pytest.fixture(params=READERS)
def reader(request: pytest.FixtureRequest, warehouse: Warehouse) -> Iterator[tuple[Reader, psycopg.Connection]]:
    """Each kind of reader, connected."""
    name = request.param
    fixture = {"studio_one": "creator_dsn", "label_one": "brand_dsn"}.get(name)
    dsn = request.getfixturevalue(fixture) if fixture else warehouse.dsn(name)
    with psycopg.connect(dsn, autocommit=True) as connection:
        yield READERS[name], connection


def test_every_reader_is_limited_and_cannot_change_it(reader: tuple[Reader, psycopg.Connection]) -> None:
    role, connection = reader
    connection.execute("set default_transaction_read_only = off")
    for name, value in role.limits.items():
        assert connection.execute(f"show {name}").fetchone() == (value,)
        for statement in (
            f"set {name} = default",
            f"set local {name} = -1",
            f"select set_config('{name}', '-1', false)",
            f"alter role {role.name} set {name} = -1",
            f"alter role {role.name} reset {name}",
        ):
            with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.InvalidParameterValue)):
                connection.execute(statement)
    connection.execute(f"alter role {role.name} reset all")
    connection.execute("reset all")
    for name, value in role.limits.items():
        assert connection.execute(f"show {name}").fetchone() == (value,)
        config = connection.execute("select rolconfig from pg_roles where rolname = current_user").fetchone()
        assert config is not None
        assert f"{name}={value}" in config[0]


def test_a_query_that_would_fill_the_disk_ends_with_an_error_that_says_so(
    warehouse: Warehouse, creator_dsn: str
) -> None:
    with psycopg.connect(creator_dsn, autocommit=True) as connection:
        connection.execute("set work_mem = '64kB'")
        with pytest.raises(psycopg.errors.ConfigurationLimitExceeded, match="temporary file size exceeds"):
            connection.execute(GIANT_SORT)
        assert connection.execute("select count(*) from earnings").fetchone() == (1,)


def test_the_text_of_a_readers_error_does_not_reach_the_servers_log(warehouse: Warehouse, creator_dsn: str) -> None:
    with psycopg.connect(creator_dsn, autocommit=True) as connection:
        with pytest.raises(psycopg.errors.InvalidTextRepresentation):
            connection.execute("select 'a very long text that is no number'::int")
        with psycopg.connect(warehouse.superuser_url("warehouse")) as superuser:
            row = superuser.execute("select pg_read_file('server.log')").fetchone()
    assert row is not None
    assert "a very long text" not in row[0]


def test_logins_made_before_there_were_limits_get_them(warehouse: Warehouse, creator_dsn: str) -> None:
    with psycopg.connect(warehouse.superuser_url("warehouse"), autocommit=True) as superuser:
        superuser.execute("alter role studio_one reset all")
        superuser.execute("alter role bi_reader reset temp_file_limit")
        with warehouse.connect() as owner:
            assert superuser_limits.statements(owner) == [
                "alter role bi_reader set temp_file_limit = '1GB'",
                "alter role studio_one set temp_file_limit = '256MB'",
                "alter role studio_one set log_min_messages = 'fatal'",
            ]
        prepare(warehouse)
        assert superuser_limits.statements(superuser) == []


def test_an_owner_who_is_no_superuser_is_told_the_limits_for_an_administrator(
    warehouse: Warehouse, brand_dsn: str
) -> None:
    external = replace(warehouse, superuser_password=None)
    with psycopg.connect(warehouse.superuser_url("warehouse"), autocommit=True) as superuser:
        superuser.execute("alter role label_one reset temp_file_limit")
        prepare(external)
        with external.connect() as owner:
            todo = hardening.statements(owner, owner=external.user)
        assert todo == ["alter role label_one set temp_file_limit = '256MB'"]
        for statement in todo:
            superuser.execute(statement)
    assert logins.listed(warehouse) == [Login("label_one", BRANDS, "b1")]
