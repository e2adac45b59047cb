"""File signatures: the kind of a file by its first bytes, and advice for kinds that hold no lines of events."""

from typing import Final

# Kinds that are read, under the right name.
READABLE: Final = {b"\x1f\x8b": ".gz", b"\x28\xb5\x2f\xfd": ".zst", b"PAR1": ".parquet"}
_SKIPPABLE_ZSTD: Final = b"\x2a\x4d\x18"
_UNPACK: Final = "unpack it, and put the files of one event a line that it holds in its place"
_CONVERT: Final = "write its events as JSON, one a line, or as Parquet"
_RECOMPRESS: Final = "unpack it, and pack its content by zstd or gzip"
# The offset and the signature of each kind.
_KINDS: Final = (
    (0, b"PK\x03\x04", "a ZIP archive (or an office document)", _UNPACK),
    (0, b"PK\x05\x06", "an empty ZIP archive", _UNPACK),
    (0, b"PK\x07\x08", "a ZIP archive in several parts", _UNPACK),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive", _UNPACK),
    (0, b"Rar!\x1a\x07", "a RAR archive", _UNPACK),
    (257, b"ustar", "a tar archive", _UNPACK),
    (4, b"1AY&SY", "compressed by bzip2", _RECOMPRESS),
    (4, b"\x17\x72\x45\x38\x50\x90", "an empty file compressed by bzip2", _RECOMPRESS),
    (0, b"\xfd7zXZ\x00", "compressed by xz", _RECOMPRESS),
    (0, b"\x04\x22\x4d\x18", "compressed by LZ4", _RECOMPRESS),
    (0, b"\xff\x06\x00\x00sNaPpY", "compressed by Snappy", _RECOMPRESS),
    (0, b"LZIP", "compressed by lzip", _RECOMPRESS),
    (0, b"\x89LZO\x00", "compressed by lzop", _RECOMPRESS),
    (0, b"\x1f\x9d", "compressed by compress", _RECOMPRESS),
    (0, b"Obj\x01", "an Avro file", _CONVERT),
    (0, b"ORC\x0a", "an ORC file", _CONVERT),
    (0, b"ORC\x08", "an ORC file", _CONVERT),
    (0, b"ARROW1\x00\x00", "an Arrow file", _CONVERT),
    (0, b"SQLite format 3\x00", "an SQLite database", _CONVERT),
    (0, b"PARE", "an encrypted Parquet file", "write it without encryption"),
)
# Beyond the last signature.
BYTES: Final = 512


def readable_suffix(head: bytes) -> str | None:
    """Return the suffix for content that begins like this, of the kinds that are read; None for others."""
    for magic, suffix in READABLE.items():
        if head.startswith(magic):
            return suffix
    is_skippable = head[1:4] == _SKIPPABLE_ZSTD and head[:1] in map(bytes, zip(range(0x50, 0x60), strict=True))
    return ".zst" if is_skippable else None


def foreign_kind(head: bytes) -> tuple[str, str] | None:
    """Return the kind of file that begins like this, and advice on it, if it is no kind that is read."""
    for offset, magic, kind, advice in _KINDS:
        # JSON may have any word at any offset, but no NUL before it.
        if head.startswith(magic, offset) and (not offset or head.startswith(b"BZh") or b"\0" in head[:offset]):
            return kind, advice
    return None


def is_plain_text(head: bytes) -> bool:
    """Return True if content that begins like this is text."""
    text = head.replace(b"\xef\xbb\xbf", b"").decode("utf-8", "ignore")
    return bool(text) and all(letter.isprintable() or letter.isspace() for letter in text)
