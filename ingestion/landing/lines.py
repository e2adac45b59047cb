"""Splitting of bytes into numbered lines, in bounded memory.

Lines are passed on in batches, mostly as blocks of text. Splitting a block into lines is deferred to the worker that
validates it. pyarrow.json and polars lose line numbers and the exact bytes of invalid lines.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, count, islice, repeat
from typing import Final

from ingestion.contract import MAX_LINE_BYTES
from ingestion.landing.objects import HEAD_BYTES, Cutter, Oversized, Positioned, Remainder, is_json, without_marks

_UTF8_BOM: Final = b"\xef\xbb\xbf"
_LINE_END: Final = ord("\n")
# Of lines that were split one by one, each of up to 1 MiB.
_LINES_AT_ONCE: Final = 64
# Of the objects in one chunk of a long line, all of which are in memory already.
_OBJECTS_AT_ONCE: Final = 1_024


@dataclass(frozen=True, slots=True)
class EventArray:
    """A JSON array over many lines, as one line: its first HEAD_BYTES and its whole length."""

    head: bytes
    line_bytes: int


@dataclass(frozen=True, slots=True)
class TextBlock:
    """A block of whole lines as they were read, with line ends and blank lines, and the number of the first."""

    first_number: int
    content: bytes


@dataclass(frozen=True, slots=True)
class Unholdable:
    """A Parquet row with values that JSON cannot hold: the line without them, and a reason for each."""

    content: bytes
    reasons: tuple[str, ...]

    @property
    def head(self) -> bytes:
        return self.content

    @property
    def line_bytes(self) -> int:
        return len(self.content)


Line = bytes | Oversized | EventArray | Remainder | Unholdable
# The number of a line, the position of an object in it, and the object, which mostly is the whole line.
NumberedLine = tuple[int, int, Line]
LineBatch = TextBlock | list[NumberedLine]


def numbered_lines(batch: LineBatch) -> Iterator[NumberedLine]:
    """Yield the lines of a batch with their places, without line ends (LF or CRLF). Blank lines only count.

    Only lines that are too long for one object are cut into objects here. Validation cuts other lines if they are
    no JSON: most lines are one object.
    """
    if isinstance(batch, list):
        return iter(batch)
    lines = batch.content.split(b"\n")
    if not lines[-1]:
        lines.pop()
    # Most blocks have only plain lines: one check of the block is faster than one of each line.
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

    A last line without a line end counts. A byte order mark at the start is skipped. A JSON array over many
    lines becomes one EventArray, with one reason and not one for each line.
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
    if (isinstance(line, bytes) and is_json(line)) or _are_separate_lines(following):
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
    """Iterator of chunks that keeps their total size and their first bytes."""

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


def _are_separate_lines(following: list[NumberedLine]) -> bool:
    """Return True if the lines after an unreadable first line are events of their own, and not parts of an array.

    In an array a value is followed by a comma or by the end, on its own line or on the next.
    """
    if not following or not isinstance(following[0][2], bytes) or not is_json(without_marks(following[0][2])):
        return False
    return len(following) == 1 or not (
        isinstance(following[1][2], bytes) and following[1][2].lstrip().startswith((b",", b"]"))
    )


def _batches(chunks: Iterator[bytes]) -> Iterator[LineBatch]:
    number = 1
    rest = b""  # the line that began in an earlier chunk
    cutter: Cutter | None = None  # for that line, if it is too long to be held
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
            # Files of line ends alone shrink a thousandfold.
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
    # Imported late: most processes that import this module read no file. bytes.count takes five times as long.
    import numpy as np

    return int(np.count_nonzero(np.frombuffer(content, np.uint8) == _LINE_END))
