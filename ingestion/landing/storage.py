"""Storage of files: the protocol, and local folders. Object stores are in object_store.py.

A storage lists one folder at a time and opens files by their names.
"""

import errno
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from warehouse.atomic_file import atomic_writer

FOLLOW_LINKS: Final = (
    "put there what it leads to, or set WAREHOUSE_FOLLOW_SYMLINKS=true if links in the landing folder are meant"
)
_NEVER: Final = datetime.min.replace(tzinfo=UTC)


class StorageError(Exception):
    """A folder or file that cannot be listed or read: the reason, and `advice` on what to do if there is any."""

    def __init__(self, reason: str, advice: str = "") -> None:
        self.advice = advice
        super().__init__(reason)


class LinkNotFollowed(StorageError):
    """A symbolic link, which may lead out of the storage to any file of the machine."""

    def __init__(self, reason: str = "it is a symbolic link, which is not followed") -> None:
        super().__init__(reason, FOLLOW_LINKS)


class StorageUnreachable(StorageError):
    """A store that does not answer. The error is transient."""


class ObjectChanged(StorageError):
    """An object that was replaced while it was read."""


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """One file or folder. `name` is its path below the root of the storage, with slashes.

    `version` changes with the content: the ETag of an object; time of change, size and inode of a local file.
    `modified_at` is in UTC. A folder has neither, and size 0. A symbolic link that is not followed is neither a file
    nor a folder.
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
        """Return the name without the folders above it."""
        return self.name.rpartition("/")[2]


class Storage(Protocol):
    """A tree of files. Every method raises StorageError."""

    def location(self, name: str) -> str:
        """Return the full path or URL of a file or folder, for messages."""

    def entries(self, folder: str) -> list[StoredEntry]:
        """Return the entries directly in a folder, sorted by name.

        In an object store a missing folder is an empty one; a missing local folder is an error.
        """

    def has_folder(self, folder: str, /) -> bool:
        """Return True if a folder exists and can be listed; in an object store all can."""

    def version(self, name: str) -> str:
        """Return the current version of a file, as in its entry."""

    def open(self, name: str) -> BinaryIO:
        """Open a file for reading from its start. Local files are seekable."""

    def delete(self, name: str) -> None:
        """Delete a file."""

    def write(self, name: str, content: BinaryIO) -> None:
        """Write a file in one step, in place of what is there, and make the folder above it."""


@contextmanager
def _storage_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(error.strerror or str(error)) from error


@dataclass(frozen=True, slots=True)
class LocalFolder:
    """A local folder, which may be a symbolic link. Links below it are followed only with `follows_links`."""

    root: Path
    follows_links: bool = False

    def location(self, name: str) -> str:
        return str(self.root / name)

    @_storage_errors()
    def entries(self, folder: str) -> list[StoredEntry]:
        with self._descriptor(folder, os.O_DIRECTORY) as opened, os.scandir(opened) as found:
            return sorted((self._entry(folder, item) for item in found), key=lambda entry: entry.name)

    def has_folder(self, folder: str, /) -> bool:
        try:
            with self._descriptor(folder, os.O_DIRECTORY):
                return True
        except LinkNotFollowed:
            return True  # `entries` raises the error
        except (StorageError, OSError):
            return False

    @_storage_errors()
    def version(self, name: str) -> str:
        with self._parent(name) as (parent, own_name):
            return _version(os.stat(own_name, dir_fd=parent, follow_symlinks=self.follows_links))

    @_storage_errors()
    def open(self, name: str) -> BinaryIO:
        # A named pipe in place of the file would block without O_NONBLOCK.
        with self._descriptor(name, os.O_NONBLOCK) as opened:
            return os.fdopen(os.dup(opened), "rb")

    @_storage_errors()
    def delete(self, name: str) -> None:
        with self._parent(name) as (parent, own_name):
            os.unlink(own_name, dir_fd=parent)

    @_storage_errors()
    def write(self, name: str, content: BinaryIO) -> None:
        path = self.root / name
        mode = 0o600
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            self.version(name)  # neither the file nor a folder above it may be a link
            mode = stat.S_IMODE(path.stat().st_mode)
        with atomic_writer(path, mode=mode) as draft:
            shutil.copyfileobj(content, draft.file)

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
        """Open the folder that holds a file, folder by folder, so that none can become a link between check and use."""
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
        except OSError:  # deleted since the folder was listed, or a broken link
            return StoredEntry(name, is_folder=False, is_file=False)
        return StoredEntry(
            name,
            is_folder=False,
            is_file=True,
            size=found.st_size,
            version=_version(found),
            # A file that is moved here keeps its time of modification, but not its time of change.
            modified_at=datetime.fromtimestamp(max(found.st_mtime, found.st_ctime), UTC),
        )


def _is_link(own_name: str, parent: int) -> bool:
    try:
        return stat.S_ISLNK(os.stat(own_name, dir_fd=parent, follow_symlinks=False).st_mode)
    except OSError:
        return False


def _version(found: os.stat_result) -> str:
    return f"{found.st_mtime_ns:x}-{found.st_size:x}-{found.st_ino:x}"
