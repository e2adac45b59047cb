"""Decompression of text files by gzip or zstd in chunks, and messages for damaged files and other kinds."""

import gzip
import hashlib
import zlib
from collections.abc import Iterator
from io import RawIOBase
from typing import BinaryIO, Final, cast

from ingestion.landing.files import COMPRESSED, PARQUET, LandingError, LandingFile
from ingestion.landing.limits import MAX_ZSTD_WINDOW_MB
from ingestion.landing.progress import Meter
from ingestion.landing.signatures import BYTES, READABLE, foreign_kind, is_plain_text, readable_suffix

# Large enough that the cost of a read does not matter, small enough that four of them fit in memory easily.
CHUNK_BYTES: Final = 983_040
WRITE_AGAIN: Final = "have it written again, whole, and rerun the landing day; nothing of it was loaded"


class HashingReader(RawIOBase):
    """Reader that computes the checksum of the bytes it passes on, so that the loaded bytes are the hashed ones."""

    def __init__(self, stored: BinaryIO) -> None:
        self._stored = stored
        self._digest = hashlib.sha256()
        self.size = 0
        self.head = b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        piece = self._stored.read(size)
        if len(self.head) < BYTES:
            self.head += piece[:BYTES]
        self._digest.update(piece)
        self.size += len(piece)
        return piece

    def hexdigest(self) -> str:
        while self.read(CHUNK_BYTES):
            pass
        return self._digest.hexdigest()


def unpacked_chunks(file: LandingFile, stored: HashingReader, meter: Meter) -> Iterator[bytes]:
    """Yield the content of a text file. Raises LandingError when it is damaged or is not what its name says."""
    from backports.zstd import ZstdError

    packed = COMPRESSED.get(f".{file.name.rpartition('.')[2]}")
    content = unpacked(file, stored)
    is_first = True
    try:
        while chunk := content.read(CHUNK_BYTES):
            if is_first:
                _reject_foreign(file, chunk, packed)
                is_first = False
            meter.add(len(chunk), stored.size)
            yield chunk
    except (EOFError, zlib.error, gzip.BadGzipFile, ZstdError) as error:
        # A file of no bytes is an empty file, also where the format asks for a header.
        if stored.size or not isinstance(error, EOFError):
            if len(stored.head) < BYTES:
                stored.read(BYTES)
            raise LandingError(_problem(file, stored.head, cast(str, packed), error)) from error


def unpacked(file: LandingFile, stored: RawIOBase | BinaryIO) -> BinaryIO:
    """Return a stream of the content of a text file, by the compression that its name says."""
    packed = COMPRESSED.get(f".{file.name.rpartition('.')[2]}")
    # mypy has different types for these streams; all are used by `read` alone.
    source = cast(BinaryIO, stored)
    if packed == "gzip":
        return cast(BinaryIO, gzip.GzipFile(fileobj=source))
    if packed == "zstd":
        from backports import zstd

        # The binary logarithm of the window.
        window = min(file.limits.zstd_window_mb, MAX_ZSTD_WINDOW_MB).bit_length() - 1 + 20
        return cast(BinaryIO, zstd.ZstdFile(source, options={zstd.DecompressionParameter.window_log_max: window}))
    return source


def _reject_foreign(file: LandingFile, chunk: bytes, packed: str | None) -> None:
    suffix = readable_suffix(chunk)
    if suffix is not None and packed is None:
        own_name = file.entry.own_name
        right = own_name.rpartition(".")[0] + suffix if suffix == PARQUET else own_name + suffix
        raise LandingError(f"{file.location} has the content of a {suffix} file: rename it to {right}")
    if suffix is not None:
        raise LandingError(
            f"{file.location} is a {packed} file that holds a {suffix} file: unpack it once, so that it is packed once;"
            " nothing of its landing day was loaded"
        )
    foreign = foreign_kind(chunk)
    if foreign is not None:
        kind, advice = foreign
        where = "is" if packed is None else f"is a {packed} file whose content is"
        raise LandingError(f"{file.location} {where} {kind}: {advice}; nothing of its landing day was loaded")


def _problem(file: LandingFile, head: bytes, packed: str, error: Exception) -> str:
    """Return a message on a damaged compressed file: what is wrong, and what to do."""
    where = file.location
    text = str(error)
    suffix = f".{file.name.rpartition('.')[2]}"
    is_begun_well = readable_suffix(head) == suffix
    if not is_begun_well:
        foreign = foreign_kind(head)
        if foreign is not None:
            return f"{where} is no {packed} file but {foreign[0]}: {foreign[1]}; nothing of its landing day was loaded"
        other = next((right for magic, right in READABLE.items() if head.startswith(magic)), None)
        if other is None and is_plain_text(head):
            other = ""
        if other is not None:
            kind = f"a {other} file" if other else "plain text"
            right = file.entry.own_name.removesuffix(suffix)
            right = right.rpartition(".")[0] + other if other == PARQUET else right + other
            return f"{where} is no {packed} file but {kind}: rename it to {right}"
    if "requires too much memory" in text:
        return (
            f"{where} was written with a zstd window of more than {file.limits.zstd_window_mb} MiB, the most that is"
            f" allowed: raise WAREHOUSE_ZSTD_WINDOW_MB (`zstd --long=30` needs 1024, and as much memory), or pack it"
            " without --long; nothing of its landing day was loaded"
        )
    if "Dictionary mismatch" in text:
        return (
            f"{where} was compressed with a zstd dictionary, which is not supported: pack it without one; nothing of"
            " its landing day was loaded"
        )
    if is_begun_well and ("Not a gzipped file" in text or "Unknown frame descriptor" in text):
        return (
            f"{where} goes on with bytes that are no {packed} behind a part that is whole ({text}): have it written"
            " again without them; nothing of its landing day was loaded"
        )
    return f"{where} is a damaged or truncated {packed} file ({text}): {WRITE_AGAIN}"
