"""Where files are kept: what every storage can do, and a folder of this machine. Object stores are in object_store.py.

A storage lists one folder at a time and opens files by their names. What the files are for is not known here.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final, Protocol

FOLLOW_LINKS: Final = (
    "put there what it leads to, or set WAREHOUSE_FOLLOW_SYMLINKS=true if links in the landing folder are meant"
)
_NEVER: Final = datetime.min.replace(tzinfo=UTC)


class StorageError(Exception):
    """A folder or file that cannot be listed or read: the reason, and `advice` on what to do, where any is known."""

    def __init__(self, reason: str, advice: str = "") -> None:
        self.advice = advice
        super().__init__(reason)


class LinkNotFollowed(StorageError):
    """A symbolic link where a file or folder is wanted: it may lead out of the storage, to any file of the machine."""

    def __init__(self, reason: str = "it is a symbolic link, which is not followed") -> None:
        super().__init__(reason, FOLLOW_LINKS)


class StorageUnreachable(StorageError):
    """A store that does not answer now; in a minute it may."""


class ObjectChanged(StorageError):
    """An object that was replaced by another while it was read."""


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """One file or folder. `name` is its path below the root of the storage, with slashes.

    `version` is another one whenever the content of a file is: an object's ETag; time of change, size and inode of a
    local file. `modified_at` is in UTC. A folder has neither, and size 0. A symbolic link that is not followed is
    neither a file nor a folder.
    """

    name: str
    is_folder: bool
    is_file: bool
    size: int = 0
    version: str = ""
    modified_at: datetime = _NEVER
    is_link: bool = False

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
    """A folder of this machine, which may be a symbolic link. Those below it are followed where `follows_links`."""

    root: Path
    follows_links: bool = False

    def location(self, name: str) -> str:
        return str(self.root / name)

    def entries(self, folder: str) -> list[StoredEntry]:
        try:
            with self._descriptor(folder, os.O_DIRECTORY) as opened, os.scandir(opened) as found:
                return sorted((self._entry(folder, item) for item in found), key=lambda entry: entry.name)
        except OSError as error:
            raise _reason(error) from error

    def has_folder(self, folder: str, /) -> bool:
        try:
            with self._descriptor(folder, os.O_DIRECTORY):
                return True
        except LinkNotFollowed:
            return True  # for `entries` to refuse
        except (StorageError, OSError):
            return False

    def version(self, name: str) -> str:
        try:
            with self._parent(name) as (parent, own_name):
                return _version(os.stat(own_name, dir_fd=parent, follow_symlinks=self.follows_links))
        except OSError as error:
            raise _reason(error) from error

    def open(self, name: str) -> BinaryIO:
        try:
            # Without waiting for whoever would write into a pipe that has taken the place of the file.
            with self._descriptor(name, os.O_NONBLOCK) as opened:
                return os.fdopen(os.dup(opened), "rb")
        except OSError as error:
            raise _reason(error) from error

    @contextmanager
    def _descriptor(self, name: str, flags: int) -> Iterator[int]:
        with self._parent(name) as (parent, own_name):
            opened = self._open_at(parent, own_name, flags) if own_name else os.dup(parent)
        try:
            yield opened
        finally:
            os.close(opened)

    @contextmanager
    def _parent(self, name: str) -> Iterator[tuple[int, str]]:
        """Open the folder that holds a file, folder by folder: none can become a link between a look and its use."""
        *folders, own_name = name.split("/")
        at = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY)
        try:
            for folder in folders:
                inner = self._open_at(at, folder, os.O_DIRECTORY)
                os.close(at)
                at = inner
            yield at, own_name
        finally:
            os.close(at)

    def _open_at(self, parent: int, own_name: str, flags: int) -> int:
        no_follow = 0 if self.follows_links else os.O_NOFOLLOW
        try:
            return os.open(own_name, os.O_RDONLY | no_follow | flags, dir_fd=parent)
        except OSError as error:
            if no_follow and error.errno in (errno.ELOOP, errno.ENOTDIR, errno.EMLINK) and _is_link(own_name, parent):
                raise LinkNotFollowed from error
            raise

    def _entry(self, folder: str, item: "os.DirEntry[str]") -> StoredEntry:
        name = f"{folder}/{item.name}" if folder else item.name
        try:
            if not self.follows_links and item.is_symlink():
                return StoredEntry(name, is_folder=False, is_file=False, is_link=True)
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


def _is_link(own_name: str, parent: int) -> bool:
    try:
        return stat.S_ISLNK(os.stat(own_name, dir_fd=parent, follow_symlinks=False).st_mode)
    except OSError:
        return False


def _reason(error: OSError) -> StorageError:
    return StorageError(error.strerror or str(error))


def _version(found: os.stat_result) -> str:
    return f"{found.st_mtime_ns:x}-{found.st_size:x}-{found.st_ino:x}"
