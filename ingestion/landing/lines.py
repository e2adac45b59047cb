"""Bytes to lines, with their numbers, in bounded memory. Where the bytes come from and what a line means is not known
here.

Lines travel in portions, blocks of text as far as possible: to cut a block into its lines costs as much as to find
where it ends, and may be left to somebody else.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import Final

import msgspec

from ingestion.contract import MAX_LINE_BYTES

# What is kept of a line that is too long: enough to recognise who wrote it.
HEAD_BYTES: Final = 4_096
_UTF8_BOM: Final = b"\xef\xbb\xbf"
_LINE_END: Final = ord("\n")
# Of lines that had to be looked at one by one.
_LINES_AT_ONCE: Final = 64


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


@dataclass(frozen=True, slots=True)
class Text:
    """Whole lines one after the other as they were read, line ends and blank ones included, and the first's number."""

    first_number: int
    content: bytes


Line = bytes | Oversized | EventArray
Numbered = tuple[int, Line]
Portion = Text | list[Numbered]


def numbered(portion: Portion) -> Iterator[Numbered]:
    """The lines of a portion and their numbers, without line ends (LF or CRLF); blank ones only count."""
    if isinstance(portion, list):
        return iter(portion)
    lines = portion.content.split(b"\n")
    if not lines[-1]:
        lines.pop()
    # Most text is nothing but lines, which is seen sooner of all of them together than of each.
    if (
        b"\r" not in portion.content
        and all(lines)
        and not any(map(bytes.isspace, lines))
        and max(map(len, lines), default=0) <= MAX_LINE_BYTES
    ):
        return enumerate(lines, portion.first_number)
    return _cleaned(enumerate(lines, portion.first_number))


def _cleaned(lines: Iterable[tuple[int, bytes]]) -> Iterator[Numbered]:
    for number, content in lines:
        line = content[:-1] if content.endswith(b"\r") else content
        if len(line) > MAX_LINE_BYTES:
            yield number, Oversized(line[:HEAD_BYTES], len(line))
        elif line and not line.isspace():
            yield number, line


def split(chunks: Iterator[bytes]) -> Iterator[Portion]:
    """The lines of some content, numbered from 1, in portions.

    A last line without a line end is a line; a byte order mark at the start is skipped. Content that is one array of
    events written over many lines is given as one EventArray, since its lines are not to blame one by one.
    """
    content = _Content(chunks)
    portions = _portions(iter(content))
    for portion in portions:
        first = next(numbered(portion), None)
        if first is not None:
            break
    else:
        return
    if not _begins_array(first[1]):
        yield portion
        yield from portions
        return
    lines = chain.from_iterable(map(numbered, chain([portion], portions)))
    number, line = next(lines)
    if isinstance(line, Oversized):
        yield [(number, EventArray(line.head, line.line_bytes))]
        yield from _in_portions(lines)
        return
    following = list(islice(lines, 2))
    if (isinstance(line, bytes) and _is_json(line)) or _are_lines_of_their_own(following):
        yield [first, *following]
        yield from _in_portions(lines)
        return
    for _ in lines:
        pass
    yield [(number, EventArray(content.head, content.size))]


def _in_portions(lines: Iterator[Numbered]) -> Iterator[Portion]:
    while portion := list(islice(lines, _LINES_AT_ONCE)):
        yield portion


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


def _portions(chunks: Iterator[bytes]) -> Iterator[Portion]:
    number = 1
    rest = b""  # of the line that began in an earlier chunk
    dropped = 0  # bytes of that line that are no longer held, once it is too long
    ends_in_cr = False  # whether the last of the dropped bytes is a CR, which may belong to the line end
    for chunk in chunks:
        end = chunk.rfind(b"\n") + 1
        start = 0
        if end and dropped:
            start = chunk.find(b"\n") + 1
            ends_in_cr = chunk.endswith(b"\r", 0, start - 1) if start > 1 else ends_in_cr
            yield [(number, Oversized(rest, len(rest) + dropped + start - 1 - ends_in_cr))]
            number, rest, dropped = number + 1, b"", 0
        if end > start:
            text = Text(number, b"".join((rest, memoryview(chunk)[start:end])))
            number += _line_ends(text.content)
            rest = b""
            yield text
        tail = chunk[end:]
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
        yield [(number, Oversized(rest, len(rest) + dropped - ends_in_cr))]
    elif rest:
        yield Text(number, rest)


def _line_ends(content: bytes) -> int:
    # Only now: most processes that import this read no file. bytes.count takes five times as long.
    import numpy as np

    return int(np.count_nonzero(np.frombuffer(content, np.uint8) == _LINE_END))
