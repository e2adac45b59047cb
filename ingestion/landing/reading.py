"""Landing files as lines: NDJSON plain or compressed by gzip or zstd, and Parquet. What a line means is not known
here; memory stays bounded whatever the files hold.
"""

import gzip
import hashlib
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import RawIOBase
from itertools import count, islice, repeat
from typing import BinaryIO, Final, cast

from ingestion.landing.files import COMPRESSED, PARQUET, LandingError, LandingFile
from ingestion.landing.lines import Placed, Portion, placed, split
from ingestion.landing.storage import ObjectChanged, StorageError

# Large enough that the cost of a read does not matter, small enough that four of them do not matter either.
_CHUNK_BYTES: Final = 983_040
# Of Parquet, whose rows become lines one by one.
_ROWS_AT_ONCE: Final = 512
_MAGIC: Final = {b"\x1f\x8b": ".gz", b"\x28\xb5\x2f\xfd": ".zst", b"PAR1": PARQUET}
_WRITE_AGAIN: Final = "have it written again, whole, and rerun the landing day; nothing of it was loaded"


def checksum(file: LandingFile) -> str:
    """SHA-256 of the stored (compressed) bytes, in hex."""
    with _opened(file) as stored:
        return _digest(stored)


def read_lines(file: LandingFile, expected_checksum: str | None = None) -> Iterator[Placed]:
    """Yield the lines of a file with their places; of Parquet its rows, as lines of JSON. Otherwise as `Reading`."""
    for portion in Reading(file, expected_checksum):
        yield from placed(portion)


class Reading:
    """The lines of a file in portions, in order, and when they have been read the `checksum` of the stored bytes.

    After the last line it is seen whether the file was the one that was found, or the one that `expected_checksum` was
    taken of: whoever loads rows before the end must be able to take them back. Raises LandingError when the file has
    changed, is damaged or cannot be read.
    """

    def __init__(self, file: LandingFile, expected_checksum: str | None = None) -> None:
        self._file = file
        self._expected_checksum = expected_checksum
        self.checksum = ""

    def __iter__(self) -> Iterator[Portion]:
        with _opened(self._file) as stored:
            if self._file.name.endswith(PARQUET):
                yield from self._parquet_lines(stored)
            else:
                yield from self._text_lines(stored)

    def _text_lines(self, stored: BinaryIO) -> Iterator[Portion]:
        from backports.zstd import ZstdError

        file = self._file
        hashing = _HashingReader(stored)
        packed = COMPRESSED.get(f".{file.name.rpartition('.')[2]}")
        try:
            yield from split(_chunks(_unpacked(hashing, packed), file, packed))
        except (EOFError, zlib.error, gzip.BadGzipFile, ZstdError) as error:
            # A file of no bytes is an empty file, also where the format asks for a header.
            if hashing.size or not isinstance(error, EOFError):
                raise LandingError(
                    f"{file.location} is a damaged or truncated {packed} file ({error}): {_WRITE_AGAIN}"
                ) from error
        self._end(hashing.hexdigest())

    def _parquet_lines(self, stored: BinaryIO) -> Iterator[Portion]:
        from ingestion.landing.parquet import UnreadableParquet, rows_as_lines

        with _seekable(stored) as rows:
            problem = None
            try:
                if rows.seek(0, 2):
                    rows.seek(0)
                    lines: Iterator[Placed] = zip(count(1), repeat(1), rows_as_lines(rows), strict=False)
                    while portion := list(islice(lines, _ROWS_AT_ONCE)):
                        yield portion
            except UnreadableParquet as error:
                problem = error
            rows.seek(0)
            self._end(_digest(rows), problem)
        if problem is not None:
            raise LandingError(
                f"{self._file.location} is no Parquet file that can be read, or a damaged or truncated one ({problem}):"
                f" {_WRITE_AGAIN}"
            ) from problem

    def _end(self, checksum: str, problem: Exception | None = None) -> None:
        file = self._file
        if self._expected_checksum is None:
            # A change that does not show here will at the next look, by the checksum.
            is_another = file.storage.version(file.name) != file.entry.version
        else:
            is_another = checksum != self._expected_checksum
        if is_another:
            raise _changed(file) from problem
        self.checksum = checksum


@contextmanager
def _seekable(stored: BinaryIO) -> Iterator[BinaryIO]:
    """The same bytes where one can go back and forth, as Parquet must: a copy on the disk of what is far away."""
    if stored.seekable():
        yield stored
        return
    with tempfile.TemporaryFile(prefix="landing-") as copy:
        shutil.copyfileobj(stored, copy, _CHUNK_BYTES)
        yield cast(BinaryIO, copy)


class _HashingReader(RawIOBase):
    """Hands on the bytes of a file and keeps their checksum, so that what is loaded is what was hashed."""

    def __init__(self, stored: BinaryIO) -> None:
        self._stored = stored
        self._digest = hashlib.sha256()
        self.size = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        piece = self._stored.read(size)
        self._digest.update(piece)
        self.size += len(piece)
        return piece

    def hexdigest(self) -> str:
        while self.read(_CHUNK_BYTES):
            pass
        return self._digest.hexdigest()


def _unpacked(stored: _HashingReader, packed: str | None) -> BinaryIO:
    # mypy knows the kinds of stream by different names; all are read by `read` alone.
    source = cast(BinaryIO, stored)
    if packed == "gzip":
        return cast(BinaryIO, gzip.GzipFile(fileobj=source))
    if packed == "zstd":
        from backports import zstd

        return cast(BinaryIO, zstd.ZstdFile(source))
    return source


def _chunks(content: BinaryIO, file: LandingFile, packed: str | None) -> Iterator[bytes]:
    chunk = content.read(_CHUNK_BYTES)
    if packed is None:
        for magic, suffix in _MAGIC.items():
            if chunk.startswith(magic):
                own_name = file.entry.own_name
                right = own_name.rpartition(".")[0] + suffix if suffix == PARQUET else own_name + suffix
                raise LandingError(f"{file.location} has the content of a {suffix} file: rename it to {right}")
    while chunk:
        yield chunk
        chunk = content.read(_CHUNK_BYTES)


def _digest(stored: BinaryIO) -> str:
    digest = hashlib.sha256()
    while piece := stored.read(_CHUNK_BYTES):
        digest.update(piece)
    return digest.hexdigest()


def _changed(file: LandingFile) -> LandingError:
    return LandingError(
        f"{file.location} changed while it was read: write landing files under a name that ends in .tmp and rename"
        " them when they are complete; rerun the landing day"
    )


@contextmanager
def _opened(file: LandingFile) -> Iterator[BinaryIO]:
    try:
        with file.storage.open(file.name) as stored:
            yield stored
    except ObjectChanged as error:
        raise _changed(file) from error
    except (StorageError, OSError) as error:
        advice = getattr(error, "advice", "") or "check that it is there and readable, and rerun the landing day"
        reason = getattr(error, "strerror", None) or error
        raise LandingError(f"{file.location} cannot be read ({reason}): {advice}") from error
