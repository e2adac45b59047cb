"""Backup and restoration: the same rows, rights and logins on another server."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from orchestration.cli import backup
from orchestration.cli.backup import BackupError
from orchestration.cli.provision import prepare
from tests.integration.warehouse.roles.conftest import MARTS, observe
from tests.support.handmade_marts import DAY, build, publish_by_hand
from warehouse.connection import Warehouse
from warehouse.embedded.server import EmbeddedServer
from warehouse.roles import logins
from warehouse.roles.logins import Login
from warehouse.roles.readers import BRANDS, CREATORS


@pytest.fixture
def warehouse(warehouse: Warehouse) -> Iterator[Warehouse]:
    """With marts of creators and brands, raw data, and two logins."""
    from ingestion.application import schema as application_schema

    with warehouse.connect(autocommit=True) as connection:
        application_schema.create(connection)
        observe(connection, "creators", "c1")
        observe(connection, "brands", "b1")
        build(connection, MARTS, [DAY])
        connection.execute("create table dagster.runs as select 1 as id, 'Grüße' as body")
    publish_by_hand(warehouse, list(MARTS))
    yield warehouse
    for login in logins.listed(warehouse):
        logins.remove(warehouse, login.name)


@pytest.fixture
def another(open_folder: Path) -> Iterator[Warehouse]:
    """A prepared warehouse that holds nothing, on a server of its own."""
    checkout = open_folder / f"restored-{os.urandom(4).hex()}"
    checkout.mkdir()
    server = EmbeddedServer(checkout, durable=False, first_port=29_432)
    restored = Warehouse.from_embedded(server)
    prepare(restored)
    yield restored
    server.remove()


def content(warehouse: Warehouse) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table, and every right and policy, by name. As superuser, whom no policy stops."""
    ours = "in (select oid from pg_namespace where nspname !~ '^pg_|^information_schema|^public')"
    with psycopg.connect(warehouse.superuser_url(warehouse.database)) as connection:

        def rows(query: str) -> list[tuple[object, ...]]:
            return connection.execute(query).fetchall()  # type: ignore[call-overload, no-any-return]

        relations = rows(
            "select oid::regclass::text from pg_class"
            f" where relkind in ('r', 'p', 'v') and relnamespace {ours} order by 1"
        )
        found = {str(name): rows(f"select * from {name} as row order by row::text") for (name,) in relations}
        sequences = rows(f"select oid::regclass::text from pg_class where relkind = 'S' and relnamespace {ours}")
        found |= {str(name): rows(f"select last_value, is_called from {name}") for (name,) in sequences}
        found["policies"] = rows("select * from pg_policies order by tablename, policyname")
        found["rights"] = rows(
            "select oid::regclass::text, relrowsecurity, relforcerowsecurity,"
            f" array(select unnest(relacl)::text order by 1) from pg_class where relnamespace {ours} order by 1"
        )
        found["schemas"] = rows(
            "select nspname, nspowner::regrole::text, array(select unnest(nspacl)::text order by 1)"
            f" from pg_namespace where oid {ours} order by 1"
        )
        found["functions"] = rows(
            "select oid::regprocedure::text, prosrc, array(select unnest(proacl)::text order by 1)"
            f" from pg_proc where pronamespace {ours} order by 1"
        )
        found["comments"] = rows(
            "select objoid::regclass::text, objsubid, description from pg_description"
            " where classoid = 'pg_class'::regclass and objoid >= 16384"
            " and objoid not in (select objid from pg_depend where deptype = 'e') order by 1, 2"
        )
    return found


def as_owner_elsewhere(warehouse: Warehouse) -> Warehouse:
    """The warehouse as on a server of one's own, where we are the owner and no superuser."""
    return replace(warehouse, superuser_password=None)


@pytest.mark.parametrize("is_embedded", [True, False], ids=["embedded", "owner only"])
def test_a_restored_warehouse_equals_the_one_that_was_backed_up(
    warehouse: Warehouse, another: Warehouse, tmp_path: Path, is_embedded: bool
) -> None:
    creator = logins.add(warehouse, Login("studio_one", CREATORS, "c1"))
    logins.add(warehouse, Login("label_one", BRANDS, "b1"))
    file = tmp_path / "warehouse.dump"
    source, target = (warehouse, another) if is_embedded else map(as_owner_elsewhere, (warehouse, another))
    before = content(warehouse)

    backup.write(source, file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [file]
    if not is_embedded:
        with psycopg.connect(another.superuser_url("postgres"), autocommit=True) as superuser:
            superuser.execute("alter role warehouse_owner createrole")
            superuser.execute(
                "grant creator_login, brand_login to warehouse_owner with admin option, inherit false, set false"
            )
    report = backup.read(target, file)

    assert (report.logins, report.without_password) == (2, [])
    assert content(another) == before
    assert prepare(another) is None
    assert content(another) == before
    restored = creator.replace(f":{warehouse.port}/", f":{another.port}/")
    with psycopg.connect(restored) as studio:
        assert studio.execute("select creator_id, note from marts.earnings").fetchall() == [("c1", "own")]
        assert studio.execute("show statement_timeout").fetchone() == ("1min",)
    with psycopg.connect(another.bi_dsn) as bi:
        assert bi.execute("select count(*) from marts.earnings").fetchone() == (3,)
    with psycopg.connect(another.dsn("brand_portal")) as portal:
        portal.execute("set app.brand_id = 'b2'")
        assert portal.execute("select note from marts.campaigns").fetchall() == [("secret",)]


def test_a_warehouse_that_holds_something_is_not_overwritten(warehouse: Warehouse, tmp_path: Path) -> None:
    file = tmp_path / "warehouse.dump"
    backup.write(warehouse, file)
    before = content(warehouse)
    with pytest.raises(BackupError, match="holds a warehouse already, and nothing is overwritten"):
        backup.read(warehouse, file)
    assert content(warehouse) == before
    with pytest.raises(BackupError, match="is there already"):
        backup.write(warehouse, file)


def test_a_database_with_schemas_of_somebody_else_is_left_alone(
    warehouse: Warehouse, another: Warehouse, tmp_path: Path
) -> None:
    file = tmp_path / "warehouse.dump"
    backup.write(warehouse, file)
    with another.connect(autocommit=True) as connection:
        connection.execute("create schema bookkeeping")
        connection.execute("create table bookkeeping.invoices as select 1 as id")
    with pytest.raises(BackupError, match=r"no part of a warehouse: bookkeeping\. Nothing was dropped"):
        backup.read(another, file)
    assert ("bookkeeping",) in [row[:1] for row in content(another)["schemas"]]


@pytest.mark.parametrize("damage", ["no dump", "cut off", "another database"])
def test_a_file_that_cannot_be_restored_leaves_the_empty_warehouse_as_it_was(
    warehouse: Warehouse, another: Warehouse, tmp_path: Path, damage: str
) -> None:
    file = tmp_path / "warehouse.dump"
    backup.write(warehouse, file)
    if damage == "no dump":
        file.write_text("nothing of the kind")
    elif damage == "cut off":
        file.write_bytes(file.read_bytes()[: file.stat().st_size * 9 // 10])
    else:
        with warehouse.connect(autocommit=True) as connection:
            connection.execute("drop table ops.loads cascade")
        file.unlink()
        backup.write(warehouse, file)
    before = content(another)
    with pytest.raises(BackupError, match=r"warehouse\.dump|pg_restore has failed"):
        backup.read(another, file)
    assert content(another) == before


def test_a_login_whose_password_nobody_knows_is_named(warehouse: Warehouse, another: Warehouse, tmp_path: Path) -> None:
    logins.add(warehouse, Login("studio_one", CREATORS, "c1"))
    with warehouse.connect(autocommit=True) as connection:
        connection.execute("update access.logins set password_verifier = null")
    backup.write(as_owner_elsewhere(warehouse), tmp_path / "warehouse.dump")
    assert backup.read(another, tmp_path / "warehouse.dump").without_password == ["studio_one"]


def test_a_client_that_is_older_than_the_server_is_refused_by_name(warehouse: Warehouse, tmp_path: Path) -> None:
    with pytest.raises(BackupError, match=r"pg_dump of Postgres 99 or newer is needed .* install the client programs"):
        backup._run(warehouse, "pg_dump", 99, ["--version"])


def test_the_commands_say_what_is_not_in_the_file(warehouse: Warehouse, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "orchestration", "backup", "warehouse.dump"]
    checkout = Path(backup.__file__).parents[2]
    environment = os.environ | warehouse.environment() | {"LANDING_URL": "/srv/landing", "PYTHONPATH": str(checkout)}
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert (tmp_path / "warehouse.dump").is_file()
    for kept_elsewhere in (
        "/srv/landing: the landing files",
        ".env.local: settings and keys",
        "product's own database",
    ):
        assert kept_elsewhere in done.stderr

    again = subprocess.run(command, check=False, capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert again.returncode == 1
    assert again.stderr == "error: warehouse.dump is there already; give another name, or remove it\n"
