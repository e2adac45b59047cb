"""Listing of landing files: `<root>/events/dt=YYYY-MM-DD/<name>`, by the day on which they arrived."""

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from ingestion.landing import storage_url
from ingestion.landing.limits import DEFAULT_LIMITS, Limits
from ingestion.landing.storage import FOLLOW_LINKS, LinkNotFollowed, Storage, StorageError, StoredEntry
from warehouse.window import Window

# Endings of files that are still being written. WAREHOUSE_INCOMPLETE_SUFFIXES replaces them.
INCOMPLETE: Final = (".tmp", ".part", ".inprogress")
PARQUET: Final = ".parquet"
COMPRESSED: Final = {".gz": "gzip", ".zst": "zstd"}
# Both names are read line by line; some writers know only .json.
_KINDS: Final = (*(kind + packed for kind in (".ndjson", ".json") for packed in ("", *COMPRESSED)), PARQUET)
_DAY_FOLDER: Final = re.compile(r"dt=([0-9]{4}-[0-9]{2}-[0-9]{2})")


class LandingError(Exception):
    """A landing folder or file that cannot be used. The message says what is wrong, where, and what to do."""


class UnloadableDay(LandingError):
    """A landing day of which a file cannot be used."""

    def __init__(self, message: str, landing_date: date) -> None:
        super().__init__(message, landing_date)
        self.landing_date = landing_date

    def __str__(self) -> str:
        return str(self.args[0])


@dataclass(frozen=True, slots=True)
class LandingRoot:
    """The storage of landing files, the endings of incomplete files, and the limits of a file.

    Where `only_name` is given, all files of another name count as absent.
    """

    storage: Storage
    incomplete: tuple[str, ...] = INCOMPLETE
    limits: Limits = DEFAULT_LIMITS
    only_name: str = ""

    @classmethod
    def from_url(
        cls,
        url: str | Path,
        incomplete: tuple[str, ...] = INCOMPLETE,
        limits: Limits = DEFAULT_LIMITS,
        *,
        follows_links: bool = False,
    ) -> "LandingRoot":
        """Return the root at a path or URL. Raises LandingError for a URL of another kind."""
        try:
            return cls(storage_url.storage_at(url, follows_links=follows_links), incomplete, limits)
        except StorageError as error:
            raise LandingError(f"LANDING_URL is {url}: {error}; {error.advice}") from error


@dataclass(frozen=True, slots=True)
class LandingFile:
    """A file of a landing day, as it was when it was listed.

    `name` is its path below the landing root, with slashes: the file's identity. `size` is in bytes.
    """

    storage: Storage
    entry: StoredEntry
    landing_date: date
    limits: Limits = DEFAULT_LIMITS

    @property
    def name(self) -> str:
        return self.entry.name

    @property
    def size(self) -> int:
        return self.entry.size

    @property
    def location(self) -> str:
        """Return the full path or URL, for messages."""
        return self.storage.location(self.name)


def landing_files(root: LandingRoot | Path, window: Window) -> list[LandingFile]:
    """Return the landing files of the window's landing days, sorted by name. A day without a folder has none.

    Files that are still being written and names that start with a dot or an underscore (markers such as _SUCCESS) are
    skipped. Anything else that could never be loaded raises LandingError, or it would be lost silently: a missing root,
    a folder that is no day, a file of another kind.
    """
    root = LandingRoot.from_url(root) if isinstance(root, Path) else root
    files: list[LandingFile] = []
    advice = "create it, or set LANDING_URL to the folder that holds events/dt=YYYY-MM-DD/"
    for folder in _entries(root, "events", advice):
        day = _landing_day(root.storage, folder)
        if day is not None and day in window:
            found, others = _files_of(root, folder.name, day)
            if others:
                raise LandingError(_flaw(root.storage, others[0]))
            files += found
    return sorted(files, key=lambda file: file.name)


def scan_landing_day(root: LandingRoot, day: date) -> tuple[list[LandingFile], list[StoredEntry]]:
    """Return the landing files of a day, and the other entries of its folder that keep the day from being loaded.

    Raises LandingError.
    """
    folder = f"events/dt={day}"
    if not root.storage.has_folder(folder):
        return [], []
    try:
        return _files_of(root, folder, day)
    except LandingError as error:
        if isinstance(error.__cause__, LinkNotFollowed):
            return [], []  # landing_days returns it among the others
        raise


def landing_days(root: LandingRoot) -> tuple[list[date], list[StoredEntry]]:
    """Return the landing days that have a folder, and the entries beside these that keep all days from being loaded.

    Raises LandingError.
    """
    days, others = [], []
    folders = _entries(root, "events", "check its permissions") if root.storage.has_folder("events") else []
    for folder in folders:
        try:
            day = _landing_day(root.storage, folder)
        except LandingError:
            others.append(folder)
        else:
            days += [] if day is None else [day]
    return sorted(days), others


def _entries(root: LandingRoot, folder: str, advice: str) -> list[StoredEntry]:
    try:
        entries = root.storage.entries(folder)
    except StorageError as error:
        where = root.storage.location(folder)
        raise LandingError(f"{where} cannot be listed ({error}): {error.advice or advice}") from error
    return [entry for entry in entries if entry.is_folder or root.only_name in ("", entry.own_name)]


def _files_of(root: LandingRoot, folder: str, day: date) -> tuple[list[LandingFile], list[StoredEntry]]:
    files, others = [], []
    for entry in _entries(root, folder, "check its permissions"):
        if _is_skipped(entry) or entry.name.endswith(root.incomplete):
            continue
        if _flaw(root.storage, entry) is None:
            files.append(LandingFile(root.storage, entry, day, root.limits))
        else:
            others.append(entry)
    return files, others


def _flaw(place: Storage, entry: StoredEntry) -> str | None:
    """Return why an entry of a day's folder can never be loaded; None for a landing file."""
    where = place.location(entry.name)
    if entry.is_link:
        return _link(where)
    if entry.own_name in _KINDS:
        return f"{where} has an empty name before its ending: rename it, for example to part-0{entry.own_name}"
    if entry.name.endswith(_KINDS) and not entry.is_file:
        what = "a folder" if entry.is_folder else "a pipe, a device, or a file that this account may not look at"
        return f"{where} is {what}: move it, or correct the rights on its folder"
    if not entry.name.endswith(_KINDS):
        return (
            f"{where} is no landing file: a day's folder holds files named <name>.ndjson,"
            " <name>.ndjson.gz, <name>.ndjson.zst or <name>.parquet; rename or move it"
        )
    return None if entry.name.isprintable() else f"{where!r} has a name that is no printable UTF-8 text: rename it"


def _is_skipped(entry: StoredEntry) -> bool:
    # A name that is only an ending, such as .ndjson, was meant as a landing file.
    return _is_ignored(entry) and entry.own_name not in _KINDS


def _is_ignored(entry: StoredEntry) -> bool:
    return entry.own_name.startswith((".", "_"))


def _landing_day(place: Storage, folder: StoredEntry) -> date | None:
    if _is_ignored(folder):
        return None
    if folder.is_link:
        raise LandingError(_link(place.location(folder.name)))
    match = _DAY_FOLDER.fullmatch(folder.own_name)
    try:
        if match is not None and folder.is_folder:
            return date.fromisoformat(match[1])
    except ValueError:
        pass  # no date of the calendar, such as 2026-13-45
    where = place.location(folder.name)
    if folder.own_name in ("", "dt="):
        raise LandingError(
            f"{where} has no date in its name, so that its files belong to no landing day: rename it to dt=YYYY-MM-DD,"
            " the UTC day on which they arrived"
        )
    raise LandingError(
        f"{where} is no landing day: name it dt=YYYY-MM-DD, or move it out of {place.location('events')}"
    )


def _link(where: str) -> str:
    return f"{where} is a symbolic link, which is not followed: {FOLLOW_LINKS}"
