"""Findings about this machine: Python, packages beside the lock, the settings file, disks, processes that were left."""

import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Final

from alerting.disks import full_disks
from orchestration.doctor.finding import Finding, fault, ok, warning
from warehouse.connection import CHECKOUT
from warehouse.env_file import FILE

_OLDEST_PYTHON: Final = (3, 11)
_SHOWN: Final = 5
# As .env.example has it, for trying the warehouse on one machine.
# The keys of .env.example, what they are for, and until when they can be changed.
_EXAMPLE_KEYS: Final = {
    "WAREHOUSE_HASH_KEY": ("hash key", "local-demo-key-0000", "load"),
    "WAREHOUSE_ERASURE_KEY": ("erasure key", "local-demo-erasure-key-0000", "erasure"),
}
_PINNED: Final = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^ ;\\]+)(?: *; *([^\\]+))?")
# Children of runs. Servers and the daemon may rightly be children of the system's first process.
_CHILDREN: Final = ("warehouse-dbt", "multiprocessing.spawn")


def python() -> Iterator[Finding]:
    """Examine Python's version."""
    found = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < _OLDEST_PYTHON:
        yield fault("Python", f"is {found}; 3.11 or newer is needed", "install it, remove .venv, and run make install")
    else:
        yield ok("Python", found)


def packages(lock: Path = CHECKOUT / "requirements.lock") -> Iterator[Finding]:
    """Examine whether the installed packages are those of the lock."""
    wanted = locked(lock.read_text())
    missing, other = [], []
    for name, version in wanted.items():
        try:
            installed = metadata.version(name)
        except metadata.PackageNotFoundError:
            missing.append(name)
            continue
        if installed != version:
            other.append(f"{name} {installed} instead of {version}")
    advice = "run make install; pip install by hand is undone by it"
    if missing:
        yield fault("packages", f"{len(missing)} of {len(wanted)} are not installed: {_some(missing)}", advice)
    if other:
        yield warning("packages", f"{len(other)} have other versions than the lock: {_some(other)}", advice)
    if not missing and not other:
        yield ok("packages", f"{len(wanted)} as in requirements.lock")


def locked(text: str) -> dict[str, str]:
    """Return the packages of a lock that this machine needs, with their versions."""
    from packaging.markers import Marker

    found = [_PINNED.match(line) for line in text.splitlines()]
    return {
        match[1]: match[2] for match in found if match and (match[3] is None or Marker(match[3].strip()).evaluate())
    }


def settings_file(environment: Mapping[str, str], *, is_embedded: bool, checkout: Path = CHECKOUT) -> Iterator[Finding]:
    """Examine who may read the settings file, and whether keys are those of the example."""
    file = checkout / FILE
    if file.exists() and file.stat().st_mode & 0o077:
        yield warning("settings", f"{file} can be read by other users, and holds keys", f"run chmod 600 {file}")
    elif not file.exists() and not environment.get("WAREHOUSE_HASH_KEY"):
        yield fault("settings", f"there is no {file}", "run make install, which copies .env.example to it")
    else:
        yield ok("settings", f"{FILE} is private" if file.exists() else "from the environment alone")
    for name, (subject, example, before) in _EXAMPLE_KEYS.items():
        if environment.get(name) == example and not is_embedded:
            yield warning(
                subject,
                f"{name} is that of the example, which everybody knows",
                f"choose a secret one before the first {before}: it can never be changed afterwards",
            )


def disks(folders: Iterable[Path], *, free_gigabytes: float) -> Iterator[Finding]:
    """Examine the space of the disks that the warehouse fills."""
    folders = [folder for folder in folders if folder.exists()]
    full = full_disks(folders, free_gigabytes=free_gigabytes, open_subjects=frozenset(), now=datetime.now(UTC))
    for found in full:
        yield fault("disk", found.detail, "free space, or enlarge the disk; docs/deploy.md has a query of sizes")
    if not full:
        yield ok("disk", f"more than {free_gigabytes:g} GB are free for {', '.join(map(str, folders))}")


def processes(proc: Path = Path("/proc")) -> Iterator[Finding]:
    """Examine processes of this checkout whose parent has ended. Only Linux tells."""
    if not proc.is_dir():
        yield ok("processes", "cannot be listed on this system")
        return
    left = [f"{pid} ({what})" for pid, what in _orphans(proc)]
    if left:
        yield warning(
            "processes",
            f"{len(left)} were left by a process that has ended: {_some(left)}",
            f"look at them, and end each: kill {left[0].split()[0]}",
        )
    else:
        yield ok("processes", "none was left by a process that has ended")


def _orphans(proc: Path) -> Iterator[tuple[int, str]]:
    if any(name in _command(proc / "1") for name in ("dagster", "warehouse", str(CHECKOUT))):
        return  # in a container the first process may be their real parent
    for folder in proc.glob("[0-9]*"):
        command = _command(folder)
        what = next((name for name in _CHILDREN if name in command), None)
        if what and str(CHECKOUT) in command and _parent(folder) == 1:
            yield int(folder.name), what


def _command(folder: Path) -> str:
    try:
        return (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def _parent(folder: Path) -> int | None:
    try:
        return int((folder / "stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, ValueError, IndexError):
        return None


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
