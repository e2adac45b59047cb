"""The loaded version of the project: the code that Dagster loaded, whatever is edited in the checkout since.

Loading copies the dbt project to a folder named by its content, and everything reads the copy: models, seeds, and the
lists of ingestion. Python modules are in memory; a run's process imports them again and fails when they have changed.
Nothing half-edited runs before Dagster loads it.
"""

import hashlib
import multiprocessing
import os
import shutil
import tempfile
import time
from functools import cache
from pathlib import Path
from typing import Final

CHECKOUT: Final = Path(__file__).resolve().parents[1]
PROJECT_DIR: Final = CHECKOUT / "dbt_project"
PACKAGES: Final = (
    "attribution",
    "ingestion",
    "orchestration",
    "publishing",
    "quality_checks",
    "reporting",
    "sample_data",
    "warehouse",
)
# Passed by the code server to the processes of its runs, its children: the digest of the code, and the copy.
VARIABLE: Final = "WAREHOUSE_LOADED_VERSION"
_NOT_COPIED: Final = {"target", "logs", "dbt_packages", "__pycache__"}
# A run of a long range may use a copy for a day; a copy takes 4 MB with its manifest.
KEPT_COPIES: Final = 5
KEPT_SECONDS: Final = 2 * 86_400
_READS: Final = 20
_READ_PAUSE_SECONDS: Final = 0.2


class CheckoutChanged(Exception):
    """The files of the checkout are not those that Dagster has loaded, or are being written; the message says so."""


@cache
def project_dir() -> Path:
    """Return the copy of the dbt project that this process works with. Raises CheckoutChanged."""
    pinned = _pinned()
    return Path(pinned[0]) if pinned else _copied(PROJECT_DIR)


def pin() -> None:
    """Fix the version for this process, and for the runs that it starts.

    Raises CheckoutChanged in a run whose code is not that of the code server.
    """
    folder = project_dir()
    if _pinned():
        assert_code_unchanged()
    else:
        os.environ[VARIABLE] = f"{code_digest()}{os.pathsep}{folder}"
        _remove_old_copies(folder.parent)
    # Recently used copies are not removed.
    os.utime(folder)


def assert_code_unchanged() -> None:
    """Raise CheckoutChanged when the code on disk is not the code that Dagster has loaded."""
    loaded = _from_variable()
    if loaded and loaded[1] != code_digest():
        raise CheckoutChanged(
            f"the Python code in {CHECKOUT} has changed since Dagster loaded it, and nothing half-edited may run: load"
            " it again (in the UI Deployment, Reload; or make stop and make ui), and repeat this run"
        )


def code_digest() -> str:
    """Return the digest of the Python code and the expectation suites as they are on disk now."""
    digest = hashlib.sha256()
    for package in PACKAGES:
        for path in sorted(path for kind in ("*.py", "*.json", "*.sql") for path in (CHECKOUT / package).rglob(kind)):
            digest.update(f"{path.relative_to(CHECKOUT).as_posix()}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _pinned() -> tuple[str, str] | None:
    """Return copy and digest of the code server that started this process; None in any other process."""
    return _from_variable() if multiprocessing.parent_process() is not None else None


def _from_variable() -> tuple[str, str] | None:
    code, _, folder = os.environ.get(VARIABLE, "").partition(os.pathsep)
    return (folder, code) if folder else None


def _copied(source: Path) -> Path:
    files = _read(source)
    digest = hashlib.sha256()
    for name, content in files.items():
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    copies = source / "target" / "loaded"
    copy = copies / digest.hexdigest()[:16]
    if not copy.is_dir():
        copies.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=".copying-", dir=copies))
        for name, content in files.items():
            path = draft / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        draft.chmod(0o755)
        try:
            draft.rename(copy)
        except OSError:
            shutil.rmtree(draft)  # another process was first
            if not copy.is_dir():
                raise
    return copy


def _read(source: Path) -> dict[str, bytes]:
    """Return the files of a project as of one moment. Reads them again when one was written meanwhile."""
    for _ in range(_READS):
        before = _versions_of_files(source)
        try:
            files = {name: (source / name).read_bytes() for name in before}
        except FileNotFoundError:
            files = {}
        if files and _versions_of_files(source) == before:
            return files
        time.sleep(_READ_PAUSE_SECONDS)
    raise CheckoutChanged(f"{source} is being written all the time; try again when no file changes")


def _versions_of_files(source: Path) -> dict[str, tuple[int, int, int]]:
    found = {}
    for folder, folders, names in os.walk(source):
        # Folder target is not entered: it holds every copy, each with all that dbt has written.
        skipped = _NOT_COPIED if Path(folder) == source else {"__pycache__"}
        folders[:] = set(folders) - skipped
        for path in (Path(folder, name) for name in names):
            if path.is_file():
                status = path.stat()
                found[path.relative_to(source).as_posix()] = (status.st_mtime_ns, status.st_size, status.st_ino)
    return dict(sorted(found.items()))


def _remove_old_copies(copies: Path) -> None:
    by_use = sorted((path for path in copies.iterdir() if path.is_dir()), key=_used_at, reverse=True)
    for copy in by_use[KEPT_COPIES:]:
        if _used_at(copy) < time.time() - KEPT_SECONDS:
            shutil.rmtree(copy, ignore_errors=True)


def _used_at(copy: Path) -> float:
    try:
        return copy.stat().st_mtime
    except FileNotFoundError:
        return 0.0
