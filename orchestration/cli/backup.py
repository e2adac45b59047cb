"""The commands `backup FILE` and `restore FILE`: the warehouse's database by pg_dump and pg_restore, as its owner.

One file holds every schema of the owner: raw, ops, the marts with their policies and grants, the logins of single
creators and brands, Dagster's own tables. Roles belong to a server and not to a database, so pg_dump leaves them out.
Provisioning creates the declared roles; logins are created from table access.logins.
"""

import contextlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from orchestration.cli.environment import say, warehouse_for_run
from orchestration.cli.provision import SCHEMAS, prepare
from warehouse.connection import CHECKOUT, Warehouse
from warehouse.embedded import binaries
from warehouse.embedded.binaries import EmbeddedServerError
from warehouse.roles import logins
from warehouse.roles.readers import ACCESS
from warehouse.single_values import value_of

if TYPE_CHECKING:
    import psycopg

_OWN_SCHEMAS: Final = """
select nspname from pg_namespace
where nspname !~ '^pg_' and nspname not in ('information_schema', 'public') and pg_has_role(nspowner, 'usage')
order by nspname
"""
_NOT_INSIDE: Final = """\
not in the file, so keep copies of them too:
  {landing}: the landing files, which a corrected rule or a replay reads again
  {checkout}/.env.local: settings and keys, without which hashes and encrypted props cannot be made again
  {application}: the product's own database
"""


class BackupError(click.ClickException):
    """A backup cannot be written or restored; the message says why, and nothing was changed."""


@dataclass(frozen=True, slots=True)
class Restored:
    """Counts of a restoration."""

    published_days: int
    logins: int
    without_password: Sequence[str]


@click.command()
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
def backup(file: Path) -> None:
    """Write the warehouse's database to FILE, with roles, rights and policies of its readers."""
    warehouse = warehouse_for_run()
    written = write(warehouse, file)
    application = "APP_DATABASE_URL" if not warehouse.is_embedded else "database marketplace of the embedded server"
    landing = os.environ.get("LANDING_URL") or "LANDING_URL"
    say(f"{file}: {written / 1e6:,.1f} MB")
    sys.stderr.write(_NOT_INSIDE.format(landing=landing, checkout=CHECKOUT, application=application))


@click.command()
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
def restore(file: Path) -> None:
    """Fill a warehouse that holds nothing yet from a backup FILE."""
    report = read(warehouse_for_run(), file)
    say(f"{file} is restored: {report.published_days:,} published days, {report.logins} logins")
    if report.without_password:
        say(f"these logins have no password yet: {', '.join(report.without_password)}")
    say("bi_reader and the portals have the passwords of this server: make -s dsn shows bi_reader's")


def write(warehouse: Warehouse, file: Path) -> int:
    """Write the whole warehouse, as of one moment, to a file that only its owner may read. Returns the size in bytes.

    Raises BackupError when the file is there already or pg_dump fails.
    """
    if file.exists():
        raise BackupError(f"{file} is there already; give another name, or remove it")
    logins.keep_verifiers(warehouse)
    with warehouse.connect() as connection:
        schemas = [name for (name,) in connection.execute(_OWN_SCHEMAS)]
        major = connection.info.server_version // 10_000
    draft = file.with_name(f".{file.name}.part")
    try:
        # Private to its owner from the first byte.
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
        named = [f"--schema={name}" for name in schemas]
        # The policies bind the owner too, and let the owner see every row; without this option pg_dump insists on
        # seeing rows past all policies, and stops at the first table that has some.
        options = ["--format=custom", "--enable-row-security", *named, f"--file={draft}"]
        _run(warehouse, "pg_dump", major, options)
        draft.replace(file)
    except OSError as error:
        raise BackupError(f"{file} cannot be written: {error.strerror}") from error
    finally:
        draft.unlink(missing_ok=True)
    return file.stat().st_size


def read(warehouse: Warehouse, file: Path) -> Restored:
    """Fill an empty warehouse from a backup: all of it, or nothing.

    Raises BackupError when the warehouse holds something, the file is no backup, or pg_restore fails.
    """
    if not file.is_file():
        raise BackupError(f"there is no file {file}")
    with warehouse.connect(autocommit=True) as connection:
        _refuse_filled(warehouse, connection)
        major = connection.info.server_version // 10_000
        contents = _run(warehouse, "pg_restore", major, ["--list", str(file)], is_local=True)
        if not re.search(r" TABLE DATA ops loads ", contents):
            raise BackupError(f"{file} is no backup of a warehouse: it holds no table ops.loads")
        _clear(connection)
    try:
        # Ownership is left to the login that restores: the owner may be called otherwise on this server.
        options = ["--no-owner", "--single-transaction", "--exit-on-error", f"--dbname={warehouse.database}", str(file)]
        _run(warehouse, "pg_restore", major, options)
    finally:
        # Creates what was cleared when the restoration failed; grants on the database itself when it did not.
        prepare(warehouse)
    without_password = logins.create_missing(warehouse)
    with warehouse.connect() as connection:
        days, count = connection.execute(
            "select (select count(*) from ops.published_days), (select count(*) from access.logins)"
        ).fetchone() or (0, 0)
    return Restored(days, count, without_password)


def _refuse_filled(warehouse: Warehouse, connection: "psycopg.Connection") -> None:
    if value_of(
        connection,
        "select exists (select from ops.loads) or exists (select from ops.published_days)"
        " or exists (select from access.logins)",
    ):
        raise BackupError(
            f"database {warehouse.database} at {warehouse.host}, port {warehouse.port}, holds a warehouse already, and"
            " nothing is overwritten; restore into a new checkout, or into an empty database that WAREHOUSE_URL names"
        )
    # A restoration drops every schema of the owner, which may own more than a warehouse.
    present = {name for (name,) in connection.execute(_OWN_SCHEMAS)}
    if others := sorted(present.difference(SCHEMAS, ("raw", "ops", ACCESS))):
        raise BackupError(
            f"database {warehouse.database} at {warehouse.host}, port {warehouse.port}, has schemas that are no part of"
            f" a warehouse: {', '.join(others)}. Nothing was dropped; restore into an empty database that WAREHOUSE_URL"
            " names"
        )


def _clear(connection: "psycopg.Connection") -> None:
    """Drop the empty schemas of provisioning: the backup brings its own."""
    from psycopg import sql

    with connection.transaction():
        for (name,) in connection.execute(_OWN_SCHEMAS).fetchall():
            connection.execute(sql.SQL("drop schema {} cascade").format(sql.Identifier(name)))


def _run(warehouse: Warehouse, program: str, major: int, options: Sequence[str], *, is_local: bool = False) -> str:
    """Run a client program as the warehouse's owner and return its output. Raises BackupError with its message."""
    login = {} if is_local else warehouse.libpq_environment()
    # Variables of the caller's shell could name another server.
    without_libpq = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    done = subprocess.run(
        [_client(program, major), *options],
        check=False,
        capture_output=True,
        text=True,
        env=without_libpq | login | {"LC_ALL": "C.UTF-8"},
    )
    if done.returncode:
        raise BackupError(f"{program} has failed: {' '.join(done.stderr.split())}")
    return done.stdout


def _client(program: str, major: int) -> str:
    """Return the path of a client program for a server of this version. Raises BackupError."""
    found = []
    # Where the package has none for this platform, the machine's own may do.
    with contextlib.suppress(EmbeddedServerError):
        found.append(str(binaries.program_folder(None) / program))
    if own := shutil.which(program):
        found.append(own)
    versions = {path: _major_version(path) for path in found}
    for path, version in versions.items():
        if version >= major:
            return path
    known = ", ".join(f"{path} is of {version}" for path, version in versions.items()) or "there is none"
    raise BackupError(
        f"{program} of Postgres {major} or newer is needed for this server, and {known};"
        f" install the client programs of Postgres {major}"
    )


def _major_version(path: str) -> int:
    said = subprocess.run([path, "--version"], check=False, capture_output=True, text=True).stdout
    version = re.search(r"(\d+)", said)
    return int(version[1]) if version else 0
