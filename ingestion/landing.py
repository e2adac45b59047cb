"""Finds, opens and streams landing files: `<root>/events/dt=YYYY-MM-DD/<name>.ndjson[.gz]`. What a line means is not
known here; memory stays bounded whatever the files hold.
"""

import gzip
import hashlib
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import BinaryIO, Final, cast

from ingestion.contract import MAX_LINE_BYTES
from ingestion.window import Window

# What is kept of a line that is too long: enough to recognise who wrote it.
HEAD_BYTES: Final = 4_096
# Large enough that the cost of a read does not matter, small enough that four of them do not matter either.
_CHUNK_BYTES: Final = 262_144
_UTF8_BOM: Final = b"\xef\xbb\xbf"
_GZIP_MAGIC: Final = b"\x1f\x8b"
_BEING_WRITTEN: Final = (".tmp", ".part", ".inprogress")
_KINDS: Final = (".ndjson", ".ndjson.gz")
_DAY_FOLDER: Final = re.compile(r"dt=([0-9]{4}-[0-9]{2}-[0-9]{2})")


class LandingError(Exception):
    """A landing folder or file that cannot be used. The text says what, where and what to do."""


@dataclass(frozen=True, slots=True)
class LandingFile:
    """One file of one landing day. `name` is its path below the landing root, with slashes: the file's identity."""

    path: Path
    name: str
    landing_date: date


@dataclass(frozen=True, slots=True)
class Oversized:
    """A line longer than MAX_LINE_BYTES: its first HEAD_BYTES and its whole length, without the line end."""

    head: bytes
    line_bytes: int


def landing_files(root: Path, window: Window) -> list[LandingFile]:
    """The landing files of the window's landing days, sorted by name. A day without a folder has none.

    Files that are still being written (.tmp, .part, .inprogress) and names that start with a dot or an underscore
    (markers such as _SUCCESS) are not landing files. Anything else that could never be loaded raises LandingError,
    because it would be lost in silence: a missing root, a folder that is no day, a file of another kind.
    """
    events = root / "events"
    files = []
    for folder in _entries(events, "create it, or set LANDING_URL to the folder that holds events/dt=YYYY-MM-DD/"):
        day = _landing_day(folder)
        if day is None or day not in window:
            continue
        for path in _entries(folder, "check its permissions"):
            if _is_ignored(path.name) or path.name.endswith(_BEING_WRITTEN):
                continue
            if not path.is_file() or not path.name.endswith(_KINDS):
                raise LandingError(
                    f"{path} is no landing file: a day's folder holds files named <name>.ndjson or <name>.ndjson.gz;"
                    " rename or move it"
                )
            files.append(LandingFile(path, _identity(path, root), day))
    return sorted(files, key=lambda file: file.name)


def checksum(file: LandingFile) -> str:
    """SHA-256 of the stored (compressed) bytes, in hex."""
    with _opened(file) as stored:
        return hashlib.file_digest(stored, "sha256").hexdigest()


def read_lines(file: LandingFile, expected_checksum: str | None = None) -> Iterator[tuple[int, bytes | Oversized]]:
    """The lines of a file with their numbers, from 1, without line ends (LF or CRLF).

    Blank lines are counted and not given; a last line without a line end is a line; a byte order mark at the start
    is skipped. With `expected_checksum`, the bytes that were read here are compared with it after the last line:
    whoever loads rows before the end must be able to take them back. Raises LandingError when the file is damaged,
    cannot be read, or is not the one that the checksum was taken of.
    """
    with _opened(file) as stored:
        hashing = _HashingReader(stored)
        is_gzip = file.name.endswith(".gz")
        # mypy knows the two kinds of stream by different names; both are read by `read` alone.
        content = cast(BinaryIO, gzip.GzipFile(fileobj=cast(BinaryIO, hashing)) if is_gzip else hashing)
        try:
            yield from _split(_chunks(content, file, is_gzip))
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise LandingError(
                f"{file.path} is a damaged or truncated gzip file ({error}): have it written again, whole, and rerun"
                " the landing day; nothing of it was loaded"
            ) from error
        if expected_checksum is not None and hashing.hexdigest() != expected_checksum:
            raise LandingError(
                f"{file.path} changed while it was read: write landing files under a name that ends in .tmp and rename"
                " them when they are complete; rerun the landing day"
            )


class _HashingReader(RawIOBase):
    """Hands on the bytes of a file and keeps their checksum, so that what is loaded is what was hashed."""

    def __init__(self, stored: BufferedReader) -> None:
        self._stored = stored
        self._digest = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        piece = self._stored.read(size)
        self._digest.update(piece)
        return piece

    def hexdigest(self) -> str:
        while self.read(_CHUNK_BYTES):
            pass
        return self._digest.hexdigest()


def _chunks(content: BinaryIO, file: LandingFile, is_gzip: bool) -> Iterator[bytes]:
    chunk = content.read(_CHUNK_BYTES)
    if not is_gzip and chunk.startswith(_GZIP_MAGIC):
        raise LandingError(f"{file.path} is compressed by gzip: rename it to {file.path.name}.gz")
    chunk = chunk.removeprefix(_UTF8_BOM)
    while chunk:
        yield chunk
        chunk = content.read(_CHUNK_BYTES)


def _split(chunks: Iterator[bytes]) -> Iterator[tuple[int, bytes | Oversized]]:
    number = 1
    rest = b""  # of the line that began in an earlier chunk
    dropped = 0  # bytes of that line that are no longer held, once it is too long
    ends_in_cr = False  # whether the last of the dropped bytes is a CR, which may belong to the line end
    for chunk in chunks:
        *lines, tail = chunk.split(b"\n")
        for line in lines:
            if dropped:
                ends_in_cr = line.endswith(b"\r") if line else ends_in_cr
                yield number, Oversized(rest, len(rest) + dropped + len(line) - ends_in_cr)
                dropped = 0
            else:
                whole = _line((rest + line).removesuffix(b"\r"))
                if whole is not None:
                    yield number, whole
            rest = b""
            number += 1
        if dropped:
            dropped += len(tail)
            ends_in_cr = tail.endswith(b"\r") if tail else ends_in_cr
        else:
            rest += tail
            # One byte of grace: the CR of a line end that is still to come.
            if len(rest) > MAX_LINE_BYTES + 1:
                dropped = len(rest) - HEAD_BYTES
                ends_in_cr = rest.endswith(b"\r")
                rest = rest[:HEAD_BYTES]
    if dropped:
        yield number, Oversized(rest, len(rest) + dropped - ends_in_cr)
    elif (whole := _line(rest.removesuffix(b"\r"))) is not None:
        yield number, whole


def _line(line: bytes) -> bytes | Oversized | None:
    if len(line) > MAX_LINE_BYTES:
        return Oversized(line[:HEAD_BYTES], len(line))
    return line if line.strip() else None


@contextmanager
def _opened(file: LandingFile) -> Iterator[BufferedReader]:
    try:
        with file.path.open("rb") as stored:
            yield stored
    except OSError as error:
        raise LandingError(
            f"{file.path} cannot be read ({error.strerror or error}): check that it is there and readable, and rerun"
            " the landing day"
        ) from error


def _entries(folder: Path, advice: str) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise LandingError(f"{folder} cannot be listed ({error.strerror or error}): {advice}") from error


def _is_ignored(name: str) -> bool:
    return name.startswith((".", "_"))


def _landing_day(folder: Path) -> date | None:
    if _is_ignored(folder.name):
        return None
    match = _DAY_FOLDER.fullmatch(folder.name)
    try:
        if match is not None and folder.is_dir():
            return date.fromisoformat(match[1])
    except ValueError:
        pass  # a date that no calendar has, such as 2026-13-45
    raise LandingError(f"{folder} is no landing day: name it dt=YYYY-MM-DD, or move it out of {folder.parent}")


def _identity(path: Path, root: Path) -> str:
    name = path.relative_to(root).as_posix()
    if not name.isprintable():
        raise LandingError(f"{path!r} has a name that is no printable UTF-8 text: rename it")
    return name
