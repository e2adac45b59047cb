"""Cutting of a line into several JSON objects, as delivery services write them. Each counts as a line of its own.

The place of an object is the number of its line and its position in that line, from 1. Only lines that are not one JSON
value, or are longer than one object may be, are cut.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import msgspec

from ingestion.contract import MAX_LINE_BYTES

# The part of an oversized line that is kept: enough to recognise its writer.
HEAD_BYTES: Final = 4_096
# The column that holds a position is a 32-bit integer.
_LAST_POSITION: Final = 2**31 - 1
# Deeper objects cannot be parsed, and millions of braces would take minutes.
_MAX_DEPTH: Final = 1_000
# Byte order marks of joined files, the record separators of RFC 7464, and blanks: between objects they have no meaning.
_BETWEEN: Final = re.compile(rb"(?:[ \t\r\n\x1e]|\xef\xbb\xbf)*+")
_MARK_BYTES: Final = 3
_PARTS_OF_A_MARK: Final = (b"\xef", b"\xef\xbb")
# Up to the next brace outside of texts, or to a text that does not end in these bytes.
_TO_BRACE: Final = re.compile(rb'[^{}"]*+(?:"[^"\\]*+(?:\\.[^"\\]*+)*+"[^{}"]*+)*+', re.DOTALL)
_TO_END_OF_TEXT: Final = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_OPENING: Final = ord("{")
_QUOTE: Final = ord('"')


@dataclass(frozen=True, slots=True)
class Oversized:
    """A line or object longer than MAX_LINE_BYTES: its first HEAD_BYTES, and its whole length without the line end."""

    head: bytes
    line_bytes: int


@dataclass(frozen=True, slots=True)
class Remainder:
    """The rest of a line behind its last object that can be read: its first HEAD_BYTES, and its whole length."""

    head: bytes
    line_bytes: int


Piece = bytes | Oversized | Remainder
Positioned = tuple[int, Piece]


def without_marks(line: bytes) -> bytes:
    """Drop the byte order marks, record separators and blanks that a line begins with."""
    return line[_blank_until(line, 0) :]


def is_json(content: bytes) -> bool:
    """Return True if content is one JSON value, also with lone surrogates or numbers out of range."""
    try:
        msgspec.json.decode(content, type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError):
        try:
            json.loads(content.decode(), parse_int=str, parse_constant=_reject_constant)
        except (ValueError, RecursionError):
            return False
    return True


def objects_of(line: bytes) -> list[Positioned]:
    """Cut a line that is held whole into its objects and what remains of it behind them.

    A line of only marks and blanks has none. A line that does not begin with two objects is one piece: bytes behind a
    single object, such as a NUL or a comma, make the line invalid.
    """
    cutter = Cutter()
    pieces = [*cutter.cut(line), *cutter.end()]
    if len(pieces) == 1 and isinstance(pieces[0][1], bytes):
        return [(1, without_marks(line).removesuffix(b"\r"))]
    return pieces


class Cutter:
    """Cutter of one line of any length while it is read. It holds at most one object of legal length."""

    def __init__(self) -> None:
        self._position = 1
        # The first object, until it is known whether another one follows, and the length of the line up to it.
        self._first: bytes | Oversized | None = None
        self._line_bytes = 0
        self._held = b""  # the object that has begun and not ended; only its head if it is too long
        self._length = 0  # of the object that has begun and not ended
        self._pending = b""  # bytes that may be the beginning of a mark
        self._depth = 0
        self._is_in_text = False
        self._skipped = 0  # bytes of the next content that a backslash before them escapes
        self._is_remainder = False
        self._ends_in_cr = False

    def cut(self, content: bytes) -> Iterator[Positioned]:
        """Take the next bytes of the line. Yields the objects that end in them."""
        if not content:
            return
        self._ends_in_cr = content.endswith(b"\r")
        self._line_bytes += len(content)
        content = self._pending + content
        self._pending = b""
        start = 0
        while start < len(content):
            if not self._depth and not self._is_remainder:
                start = _blank_until(content, start)
                if start == len(content):
                    return
                if len(content) - start < _MARK_BYTES and content[start:] in _PARTS_OF_A_MARK:
                    self._pending = content[start:]
                    return
                self._is_remainder = content[start] != _OPENING or self._position == _LAST_POSITION
                if self._first is not None:
                    if self._is_remainder:
                        self._take_back(self._line_bytes - len(content) + start)
                    else:
                        yield 1, self._first
                    self._first = None
            end = len(content) if self._is_remainder else self._end_of_object(content, start)
            self._hold(content[start:end])
            start = end
            if not self._depth and not self._is_remainder:
                yield from self._complete()

    def end(self) -> Iterator[Positioned]:
        """Yield what is left at the end of the line. Nothing can be cut afterwards."""
        if self._first is not None:
            if not self._pending:
                yield 1, self._first
                return
            self._take_back(self._line_bytes - len(self._pending))
        self._hold(self._pending)
        length = self._length - (self._ends_in_cr and self._length > 0)
        if not length:
            return
        held = self._held[:length]
        if length > MAX_LINE_BYTES and (self._position == 1 or not self._is_remainder):
            yield self._position, Oversized(held[:HEAD_BYTES], length)
        elif self._position == 1:
            yield 1, held
        else:
            yield self._position, Remainder(held[:HEAD_BYTES], length)

    def _complete(self) -> Iterator[Positioned]:
        is_too_long = self._length > MAX_LINE_BYTES
        if not is_too_long and not is_json(self._held):
            self._is_remainder = True
            return
        piece = Oversized(self._held[:HEAD_BYTES], self._length) if is_too_long else self._held
        if self._position == 1:
            self._first = piece
        else:
            yield self._position, piece
        self._position += 1
        self._held, self._length = b"", 0

    def _take_back(self, length: int) -> None:
        """Make the first object, and `length` bytes of the line in all, a part of the remainder."""
        self._position = 1
        first = self._first
        self._held = first.head if isinstance(first, Oversized) else first or b""
        self._length = length

    def _hold(self, content: bytes) -> None:
        self._length += len(content)
        # One byte of grace: the CR of a line end that is still to come.
        is_too_long = self._length > MAX_LINE_BYTES + 1
        if not is_too_long or len(self._held) < HEAD_BYTES:
            self._held += content
        if is_too_long:
            self._held = self._held[:HEAD_BYTES]

    def _end_of_object(self, content: bytes, start: int) -> int:
        """Find where the object ends that begins at `start` or has begun before, or how far these bytes go."""
        at = start + self._skipped
        self._skipped = 0
        while True:
            if self._is_in_text:
                found = _TO_END_OF_TEXT.match(content, at)
                if found is None:
                    backslashes = len(content) - at - len(content[at:].rstrip(b"\\"))
                    self._skipped = backslashes % 2
                    return len(content)
                at = found.end()
                self._is_in_text = False
            found = _TO_BRACE.match(content, at)
            at = len(content) if found is None else found.end()
            if at >= len(content):
                return len(content)
            byte = content[at]
            at += 1
            if byte == _QUOTE:
                self._is_in_text = True
                continue
            self._depth += 1 if byte == _OPENING else -1
            if not self._depth:
                return at
            if self._depth > _MAX_DEPTH:
                self._is_remainder = True
                return len(content)


def _blank_until(content: bytes, start: int) -> int:
    found = _BETWEEN.match(content, start)
    return start if found is None else found.end()


def _reject_constant(constant: str) -> None:
    raise ValueError(constant)
