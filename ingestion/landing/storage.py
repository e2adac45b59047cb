"""Where files are kept: what every storage can do, and a folder of this machine. Object stores are in object_store.py.

A storage lists one folder at a time and opens files by their names. What the files are for is not known here.
"""

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final, Protocol

_NEVER: Final = datetime.min.replace(tzinfo=UTC)


class StorageError(Exception):
    """A folder or file that cannot be listed or read: the reason, and `advice` on what to do, where any is known."""

    def __init__(self, reason: str, advice: str = "") -> None:
        self.advice = advice
        super().__init__(reason)


class StorageUnreachable(StorageError):
    """A store that does not answer now; in a minute it may."""


class ObjectChanged(StorageError):
    """An object that was replaced by another while it was read."""


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """One file or folder. `name` is its path below the root of the storage, with slashes.

    `version` is another one whenever the content of a file is: an object's ETag; time of change, size and inode of a
    local file. `modified_at` is in UTC. A folder has neither, and size 0.
    """

    name: str
    is_folder: bool
    is_file: bool
    size: int = 0
    version: str = ""
    modified_at: datetime = _NEVER

    @property
    def own_name(self) -> str:
        """The name without the folders above it."""
        return self.name.rpartition("/")[2]


class Storage(Protocol):
    """A tree of files. Every method raises StorageError."""

    def location(self, name: str) -> str:
        """Where the file or folder of this name is, for people to read."""

    def entries(self, folder: str) -> list[StoredEntry]:
        """What is directly in a folder, sorted by name. An object store has no empty or missing folders: they hold
        nothing; a missing local one is an error."""

    def has_folder(self, folder: str, /) -> bool:
        """Whether a folder is there and can be listed; in an object store all are."""

    def version(self, name: str) -> str:
        """What `entries` would say now of the version of a file."""

    def open(self, name: str) -> BinaryIO:
        """The bytes of a file, to be read from its start. Seekable where that costs nothing."""


@dataclass(frozen=True, slots=True)
class LocalFolder:
    """A folder of this machine."""

    root: Path

    def location(self, name: str) -> str:
        return str(self.root / name)

    def entries(self, folder: str) -> list[StoredEntry]:
        try:
            with os.scandir(self.root / folder) as found:
                return sorted((_entry(folder, item) for item in found), key=lambda entry: entry.name)
        except OSError as error:
            raise StorageError(error.strerror or str(error)) from error

    def has_folder(self, folder: str, /) -> bool:
        return (self.root / folder).is_dir()

    def version(self, name: str) -> str:
        try:
            return _version((self.root / name).stat())
        except OSError as error:
            raise StorageError(error.strerror or str(error)) from error

    def open(self, name: str) -> BinaryIO:
        try:
            return (self.root / name).open("rb")
        except OSError as error:
            raise StorageError(error.strerror or str(error)) from error


def _entry(folder: str, item: "os.DirEntry[str]") -> StoredEntry:
    name = f"{folder}/{item.name}" if folder else item.name
    try:
        if not item.is_file():
            return StoredEntry(name, is_folder=item.is_dir(), is_file=False)
        found = item.stat()
    except OSError:  # gone since the folder was listed, or a link to nowhere
        return StoredEntry(name, is_folder=False, is_file=False)
    return StoredEntry(
        name,
        is_folder=False,
        is_file=True,
        size=found.st_size,
        version=_version(found),
        # A file that is moved here keeps its time of modification; its time of change tells.
        modified_at=datetime.fromtimestamp(max(found.st_mtime, found.st_ctime), UTC),
    )


def _version(found: os.stat_result) -> str:
    return f"{found.st_mtime_ns:x}-{found.st_size:x}-{found.st_ino:x}"
