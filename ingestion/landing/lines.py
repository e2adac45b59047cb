"""Bytes to lines, with their numbers, in bounded memory. Where the bytes come from and what a line means is not known
here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Final

import msgspec

from ingestion.contract import MAX_LINE_BYTES

# What is kept of a line that is too long: enough to recognise who wrote it.
HEAD_BYTES: Final = 4_096
_UTF8_BOM: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Oversized:
    """A line longer than MAX_LINE_BYTES: its first HEAD_BYTES and its whole length, without the line end."""

    head: bytes
    line_bytes: int


@dataclass(frozen=True, slots=True)
class EventArray:
    """An array of events that stands for all the lines it is spread over: its first HEAD_BYTES, its whole length."""

    head: bytes
    line_bytes: int


Line = bytes | Oversized | EventArray
Numbered = tuple[int, Line]


def split_lines(chunks: Iterator[bytes]) -> Iterator[Numbered]:
    """The lines of some content and their numbers, from 1, without line ends (LF or CRLF).

    Blank lines are counted and not given; a last line without a line end is a line; a byte order mark at the start is
    skipped. Content that is one array of events written over many lines is given as one EventArray, since its lines
    are not to blame one by one.
    """
    content = _Content(chunks)
    lines = _split(iter(content))
    first = list(_take(lines, 1))
    if not first or not _begins_array(first[0][1]):
        yield from chain(first, lines)
        return
    number, line = first[0]
    if isinstance(line, Oversized):
        yield number, EventArray(line.head, line.line_bytes)
        yield from lines
        return
    following = list(_take(lines, 2))
    if (isinstance(line, bytes) and _is_json(line)) or _are_lines_of_their_own(following):
        yield from chain(first, following, lines)
        return
    for _ in lines:
        pass
    yield number, EventArray(content.head, content.size)


class _Content:
    """Hands on chunks and keeps how long they are together and how they begin."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self.size = 0
        self.head = b""

    def __iter__(self) -> Iterator[bytes]:
        for number, chunk in enumerate(self._chunks):
            content = chunk.removeprefix(_UTF8_BOM) if number == 0 else chunk
            self.size += len(content)
            if len(self.head) < HEAD_BYTES:
                self.head += content[: HEAD_BYTES - len(self.head)]
            yield content


def _take(lines: Iterator[Numbered], count: int) -> Iterator[Numbered]:
    for _, line in zip(range(count), lines, strict=False):
        yield line


def _begins_array(line: Line) -> bool:
    return (line if isinstance(line, bytes) else line.head).lstrip().startswith(b"[")


def _is_json(line: bytes) -> bool:
    try:
        msgspec.json.decode(line, type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


def _are_lines_of_their_own(following: list[Numbered]) -> bool:
    """Whether what follows a line that is the beginning of an array, or just broken, is no continuation of it.

    In an array a value is followed by a comma or by the end, on its own line or on the next.
    """
    if not following or not isinstance(following[0][1], bytes) or not _is_json(following[0][1]):
        return False
    return len(following) == 1 or not (
        isinstance(following[1][1], bytes) and following[1][1].lstrip().startswith((b",", b"]"))
    )


def _split(chunks: Iterator[bytes]) -> Iterator[Numbered]:
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
