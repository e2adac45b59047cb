"""Reading of landing files as lines: NDJSON, plain or compressed by gzip or zstd, and Parquet. Memory is bounded."""

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count, repeat
from typing import BinaryIO, cast

from ingestion.landing.files import PARQUET, LandingError, LandingFile
from ingestion.landing.lines import Line, LineBatch, NumberedLine, numbered_lines, split
from ingestion.landing.progress import Meter
from ingestion.landing.storage import ObjectChanged, StorageError
from ingestion.landing.unpacking import CHUNK_BYTES, HashingReader, unpacked_chunks


def checksum(file: LandingFile) -> str:
    """Return the SHA-256 of the stored (compressed) bytes, in hex."""
    with opened(file) as stored:
        return _digest(stored)


def read_lines(file: LandingFile, expected_checksum: str | None = None) -> Iterator[NumberedLine]:
    """Yield the lines of a file with their places; of Parquet its rows, as lines of JSON. Otherwise as LineReader."""
    for batch in LineReader(file, expected_checksum):
        yield from numbered_lines(batch)


class LineReader:
    """Iterator over the lines of a file in batches. At the end it has the `checksum` of the stored bytes.

    A change of the file is found after the last line, so the caller must be able to roll back the rows. Without an
    expected checksum the file must have the version as listed. Raises LandingError when the file has changed, is
    damaged or cannot be read.
    """

    def __init__(
        self, file: LandingFile, expected_checksum: str | None = None, on_progress: Callable[[str], None] | None = None
    ) -> None:
        self._file = file
        self._expected_checksum = expected_checksum
        self._meter = Meter(file, on_progress)
        self.checksum = ""

    def __iter__(self) -> Iterator[LineBatch]:
        with opened(self._file) as stored:
            if self._file.name.endswith(PARQUET):
                yield from self._parquet_lines(stored)
            else:
                hashing = HashingReader(stored)
                yield from split(unpacked_chunks(self._file, hashing, self._meter))
                self._end(hashing.hexdigest())

    def _parquet_lines(self, stored: BinaryIO) -> Iterator[LineBatch]:
        from ingestion.landing.parquet import rows_as_lines
        from ingestion.landing.parquet_values import UnreadableParquet

        with seekable(stored) as rows:
            problem = None
            try:
                if size := rows.seek(0, 2):
                    number = 1
                    for lines in rows_as_lines(rows, self._file.limits):
                        self._meter.add(sum(map(_length, lines)), size)
                        # A row without any value is what erasure leaves: a blank line.
                        yield [row for row in zip(count(number), repeat(1), lines, strict=False) if row[2] != b"{}"]
                        number += len(lines)
            except UnreadableParquet as error:
                problem = error
            rows.seek(0)
            self._end(_digest(rows), problem)
        if problem is not None:
            raise LandingError(f"{self._file.location} {problem}; nothing of its landing day was loaded") from problem

    def _end(self, checksum: str, problem: Exception | None = None) -> None:
        file = self._file
        if self._expected_checksum is None:
            # A change that the version does not show is found by the checksum of the next load.
            is_another = file.storage.version(file.name) != file.entry.version
        else:
            is_another = checksum != self._expected_checksum
        if is_another:
            raise _changed(file) from problem
        self.checksum = checksum


def _length(line: Line) -> int:
    return len(line if isinstance(line, bytes) else line.head) + 1


@contextmanager
def seekable(stored: BinaryIO) -> Iterator[BinaryIO]:
    """Open a seekable copy of the stored bytes, as Parquet needs; local files are seekable already."""
    if stored.seekable():
        yield stored
        return
    with tempfile.TemporaryFile(prefix="landing-") as copy:
        shutil.copyfileobj(stored, copy, CHUNK_BYTES)
        yield cast(BinaryIO, copy)


def _digest(stored: BinaryIO) -> str:
    digest = hashlib.sha256()
    while piece := stored.read(CHUNK_BYTES):
        digest.update(piece)
    return digest.hexdigest()


def _changed(file: LandingFile) -> LandingError:
    return LandingError(
        f"{file.location} changed while it was read: write landing files under a name that ends in .tmp and rename"
        " them when they are complete; rerun the landing day"
    )


@contextmanager
def opened(file: LandingFile) -> Iterator[BinaryIO]:
    try:
        with file.storage.open(file.name) as stored:
            yield stored
    except ObjectChanged as error:
        raise _changed(file) from error
    except (StorageError, OSError) as error:
        advice = getattr(error, "advice", "") or "check that it is there and readable, and rerun the landing day"
        reason = getattr(error, "strerror", None) or error
        raise LandingError(f"{file.location} cannot be read ({reason}): {advice}") from error
