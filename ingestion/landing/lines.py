"""Bytes to lines, with their numbers, in bounded memory. Where the bytes come from and what a line means is not known
here.

Lines travel in batches, blocks of text as far as possible: to cut a block into its lines costs as much as to find
where it ends, and may be left to somebody else.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, count, islice, repeat
from typing import Final

from ingestion.contract import MAX_LINE_BYTES
from ingestion.landing.objects import HEAD_BYTES, Cutter, Oversized, Positioned, Remainder, is_json, without_marks

_UTF8_BOM: Final = b"\xef\xbb\xbf"
_LINE_END: Final = ord("\n")
# Of lines that had to be looked at one by one, each of up to 1 MiB.
_LINES_AT_ONCE: Final = 64
# Of the objects in one chunk of a long line, all of which are in memory already.
_OBJECTS_AT_ONCE: Final = 1_024


@dataclass(frozen=True, slots=True)
class EventArray:
    """An array of events that stands for all the lines it is spread over: its first HEAD_BYTES, its whole length."""

    head: bytes
    line_bytes: int


@dataclass(frozen=True, slots=True)
class TextBlock:
    """Whole lines one after the other as they were read, line ends and blank ones included, and the first's number."""

    first_number: int
    content: bytes


@dataclass(frozen=True, slots=True)
class Unholdable:
    """A row that has values which JSON cannot hold: the line without them, and what is wrong with each."""

    content: bytes
    reasons: tuple[str, ...]

    @property
    def head(self) -> bytes:
        return self.content

    @property
    def line_bytes(self) -> int:
        return len(self.content)


Line = bytes | Oversized | EventArray | Remainder | Unholdable
# The number of a line, the position of an object in it, and the object; mostly that is the line.
NumberedLine = tuple[int, int, Line]
LineBatch = TextBlock | list[NumberedLine]


def numbered_lines(batch: LineBatch) -> Iterator[NumberedLine]:
    """Yield the lines of a batch with their places, without line ends (LF or CRLF); blank ones only count.

    Only lines that are too long for one object are cut into objects here. Of the others that is for those to do who
    find that a line is no JSON: most lines are one object, and nobody has to look for another.
    """
    if isinstance(batch, list):
        return iter(batch)
    lines = batch.content.split(b"\n")
    if not lines[-1]:
        lines.pop()
    # Most text is nothing but lines, which is seen sooner of all of them together than of each.
    if (
        b"\r" not in batch.content
        and all(lines)
        and not any(map(bytes.isspace, lines))
        and max(map(len, lines), default=0) <= MAX_LINE_BYTES
    ):
        return zip(count(batch.first_number), repeat(1), lines, strict=False)
    return _cleaned(enumerate(lines, batch.first_number))


def _cleaned(lines: Iterable[tuple[int, bytes]]) -> Iterator[NumberedLine]:
    for number, content in lines:
        if not content:
            continue
        line = content[:-1] if content.endswith(b"\r") else content
        if len(line) > MAX_LINE_BYTES:
            cutter = Cutter()
            for pieces in (cutter.cut(line), cutter.end()):
                for position, piece in pieces:
                    yield number, position, piece
        elif line and not line.isspace():
            yield number, 1, line


def split(chunks: Iterator[bytes]) -> Iterator[LineBatch]:
    """Yield the lines of some content, numbered from 1, in batches.

    A last line without a line end is a line; a byte order mark at the start is no part of the content. Content that is
    one array of events written over many lines is given as one EventArray: its lines are not to blame one by one.
    """
    content = _Content(chunks)
    batches = _batches(iter(content))
    for batch in batches:
        first = next(numbered_lines(batch), None)
        if first is not None:
            break
    else:
        return
    if not _begins_array(first[2]):
        yield batch
        yield from batches
        return
    lines = chain.from_iterable(map(numbered_lines, chain([batch], batches)))
    number, _, line = next(lines)
    if isinstance(line, Oversized):
        yield [(number, 1, EventArray(line.head, line.line_bytes))]
        yield from _in_batches(lines)
        return
    following = list(islice(lines, 2))
    if (isinstance(line, bytes) and is_json(line)) or _are_lines_of_their_own(following):
        yield [first, *following]
        yield from _in_batches(lines)
        return
    for _ in lines:
        pass
    yield [(number, 1, EventArray(content.head, content.size))]


def _in_batches(lines: Iterator[NumberedLine], at_once: int = _LINES_AT_ONCE) -> Iterator[LineBatch]:
    while batch := list(islice(lines, at_once)):
        yield batch


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
    return without_marks(line if isinstance(line, bytes) else line.head).startswith(b"[")


def _are_lines_of_their_own(following: list[NumberedLine]) -> bool:
    """Whether what follows a line that is the beginning of an array, or just broken, is no continuation of it.

    In an array a value is followed by a comma or by the end, on its own line or on the next.
    """
    if not following or not isinstance(following[0][2], bytes) or not is_json(without_marks(following[0][2])):
        return False
    return len(following) == 1 or not (
        isinstance(following[1][2], bytes) and following[1][2].lstrip().startswith((b",", b"]"))
    )


def _batches(chunks: Iterator[bytes]) -> Iterator[LineBatch]:
    number = 1
    rest = b""  # of the line that began in an earlier chunk
    cutter: Cutter | None = None  # of that line, once it is too long to be held
    for chunk in chunks:
        end = chunk.rfind(b"\n") + 1
        start = 0
        if end and cutter is not None:
            start = chunk.find(b"\n") + 1
            yield from _cut(number, chain(cutter.cut(chunk[: start - 1]), cutter.end()))
            number, cutter = number + 1, None
        if end > start:
            text = TextBlock(number, b"".join((rest, memoryview(chunk)[start:end])))
            number += _line_ends(text.content)
            rest = b""
            # Files of nothing but line ends can be packed a thousandfold.
            if not text.content.isspace():
                yield text
        if cutter is not None:
            yield from _cut(number, cutter.cut(chunk[end:]))
        else:
            rest += chunk[end:]
            # One byte of grace: the CR of a line end that is still to come.
            if len(rest) > MAX_LINE_BYTES + 1:
                cutter = Cutter()
                yield from _cut(number, cutter.cut(rest))
                rest = b""
    if cutter is not None:
        yield from _cut(number, cutter.end())
    elif rest:
        yield TextBlock(number, rest)


def _cut(number: int, pieces: Iterator[Positioned]) -> Iterator[LineBatch]:
    return _in_batches(((number, position, piece) for position, piece in pieces), _OBJECTS_AT_ONCE)


def _line_ends(content: bytes) -> int:
    # Only now: most processes that import this read no file. bytes.count takes five times as long.
    import numpy as np

    return int(np.count_nonzero(np.frombuffer(content, np.uint8) == _LINE_END))
