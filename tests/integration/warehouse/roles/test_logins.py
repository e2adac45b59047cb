"""Logins of single creators and brands: added, listed and removed on the command line."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace

import psycopg
import pytest

from tests.integration.warehouse.roles.conftest import observe
from tests.support.command_line import run_command
from warehouse.connection import Warehouse, WarehouseUnavailable
from warehouse.roles import logins
from warehouse.roles.logins import Login, LoginError
from warehouse.roles.readers import BRANDS, CREATORS


@pytest.fixture(autouse=True)
def no_logins_left(warehouse: Warehouse) -> Iterator[None]:
    """Roles belong to the server and not to its database."""
    yield
    for login in logins.listed(warehouse):
        logins.remove(warehouse, login.name)


Roles = Callable[..., tuple[int, str, str]]


@pytest.fixture
def roles(warehouse: Warehouse, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Roles:
    """The command: its exit code, and what it wrote to standard output and to standard error."""
    # Found by its folder and not by a URL, so that it may create roles.
    monkeypatch.setattr(Warehouse, "from_environment", lambda: warehouse)

    def run(*arguments: str) -> tuple[int, str, str]:
        code = run_command("roles", *arguments)
        return code, *capsys.readouterr()

    return run


def test_a_login_is_added_listed_and_removed(warehouse: Warehouse, roles: Roles) -> None:
    code, dsn, _ = roles("add-login", "studio_nine", "--creator", "c2")
    assert code == 0
    with psycopg.connect(dsn.strip()) as creator:
        assert creator.execute("select creator_id from earnings").fetchall() == [("c2",)]
        assert creator.execute("show statement_timeout").fetchone() == ("1min",)
    assert roles("list") == (0, "studio_nine\tcreator\tc2\n", "")

    # Closed without a commit, which would fail on the ended connection.
    with closing(psycopg.connect(dsn.strip())) as open_session:
        assert roles("remove-login", "studio_nine") == (0, "", "")
        with pytest.raises(psycopg.OperationalError):
            open_session.execute("select 1")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(dsn.strip())
    assert roles("list") == (0, "", "there are no logins of single creators and brands\n")


def test_the_command_is_one_of_the_warehouses(warehouse: Warehouse) -> None:
    logins.add(warehouse, Login("label_nine", BRANDS, "b2"))
    arguments = [sys.executable, "-m", "orchestration", "roles", "list"]
    environment = os.environ | warehouse.environment()
    listed = subprocess.run(arguments, check=True, capture_output=True, text=True, env=environment)
    assert listed.stdout == "label_nine\tbrand\tb2\n"


@pytest.mark.parametrize("arguments", [("remove-login", "bi_reader"), ("add-login", "creator_portal", "--brand", "b1")])
def test_what_is_wrong_is_said_in_one_line(roles: Roles, arguments: tuple[str, ...]) -> None:
    code, output, errors = roles(*arguments)
    assert (code, output) == (1, "")
    assert errors.startswith(f"error: {arguments[1]} ")
    assert errors.count("\n") == 1


@pytest.mark.parametrize(
    "name", ["", "Studio", "studio-1", "1studio", "pg_studio", 'a"; drop role bi_reader', "s" * 64]
)
def test_a_name_that_would_need_quotes_is_refused(warehouse: Warehouse, name: str) -> None:
    with pytest.raises(LoginError, match="no name for a login"):
        logins.add(warehouse, Login(name, CREATORS, "c1"))


def test_a_login_of_nobody_is_refused(warehouse: Warehouse) -> None:
    with pytest.raises(LoginError, match="the id of the brand is empty"):
        logins.add(warehouse, Login("label_two", BRANDS, " "))


def test_a_login_of_an_id_that_does_not_exist_is_refused(warehouse: Warehouse, roles: Roles) -> None:
    for option, kind, owner_id in (
        ("--creator", "creator", "b1"),
        ("--brand", "brand", "c1"),
        ("--brand", "brand", "B1"),
    ):
        code, output, errors = roles("add-login", "label_two", option, owner_id)
        assert (code, output, errors.count("\n")) == (1, "", 1)
        assert errors.startswith(f"error: {kind} {owner_id} does not exist in the product's tables")


def test_a_login_of_somebody_who_was_deleted_is_refused(warehouse: Warehouse) -> None:
    with warehouse.connect() as connection:
        observe(connection, "creators", "c1", deleted_at="2026-10-02")
        observe(connection, "brands", "b1", is_removed=True)
        observe(connection, "brands", "b2", deleted_at="infinity")
    for login in (Login("studio_two", CREATORS, "c1"), Login("label_two", BRANDS, "b1")):
        with pytest.raises(LoginError, match=f"{login.owner_id} was deleted"):
            logins.add(warehouse, login)
    logins.add(warehouse, Login("label_two", BRANDS, "b2"))


def test_no_login_is_made_before_the_products_tables_were_read(warehouse: Warehouse) -> None:
    with warehouse.connect() as connection:
        connection.execute("drop table raw.creators cascade")
    with pytest.raises(LoginError, match="creator c1 does not exist"):
        logins.add(warehouse, Login("studio_two", CREATORS, "c1"))


@pytest.mark.parametrize("name", ["bi_reader", "creator_login", "warehouse_owner", "nobody_at_all", "no name"])
def test_only_logins_of_creators_and_brands_are_removed(warehouse: Warehouse, name: str) -> None:
    with pytest.raises(LoginError, match=f"{name} is no login of a creator or brand"):
        logins.remove(warehouse, name)


def test_an_owner_who_may_create_no_roles_is_told_the_statements(warehouse: Warehouse) -> None:
    external = replace(warehouse, superuser_password=None)
    with warehouse.connect() as connection:
        observe(connection, "creators", "c'1")
    with pytest.raises(WarehouseUnavailable) as raised:
        logins.add(external, Login("studio_two", CREATORS, "c'1"))
    statements = [line.strip() for line in str(raised.value).splitlines() if line.endswith(";")]
    assert "..." in statements[0]
    with psycopg.connect(warehouse.superuser_url("warehouse"), autocommit=True) as superuser:
        for statement in statements:
            superuser.execute(statement.replace("'...'", "'secret'"))
    assert logins.listed(warehouse) == [Login("studio_two", CREATORS, "c'1")]
    with psycopg.connect(warehouse.dsn("studio_two", "secret")) as creator:
        assert creator.execute("select count(*) from earnings").fetchone() == (0,)
