"""Decoding of texts, level by level, with a map from each decoded character to its source.

One level undoes one layer of encoding in the whole text: percent-encoding, HTML entities, escapes of JSON and
JavaScript, characters without width, full-width and Arabic digits and signs. Spans of a decoded text are mapped back
to the source, so that only the personal characters are replaced.
"""

import html
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import Final

Span = tuple[int, int]

# Each redirect encodes a link once more. Links of three redirects are rare, and every level costs time.
MAX_LEVELS: Final = 12

_INVISIBLE: Final = (
    "\u00ad\u034f\u061c\u180b-\u180e\u200b-\u200f\u202a-\u202e"
    "\u2060-\u2064\u2066-\u206f\ufe00-\ufe0f\ufeff\U000e0000-\U000e007f"
)
_ENCODED: Final = re.compile(
    r"(?P<percent>%[0-7][0-9A-Fa-f])"
    r"|(?P<bytes>(?:%[89A-Fa-f][0-9A-Fa-f])+)"
    r"|%u(?P<code>[0-9A-Fa-f]{4})"
    r"|(?P<entity>&(?:\#[0-9]{1,7};?|\#[xX][0-9A-Fa-f]{1,6};?|[A-Za-z][A-Za-z0-9]{1,31};))"
    r"|\\(?:u(?P<unicode>[0-9A-Fa-f]{4})|x(?P<hex>[0-9A-Fa-f]{2})|(?P<escape>[\"'\\/bfnrt]))"
    rf"|(?P<invisible>[{_INVISIBLE}]+)"
    r"|(?P<folded>[\uff01-\uff5e\u2000-\u200a\u205f\u3000\u2024\u3002\uff61\ufe52\ufe6b\ufe62\ufe63\u0660-\u0669\u06f0-\u06f9])"
)
_ESCAPES: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_FOLDED: Final = {
    "\u2024": ".",
    "\u3002": ".",
    "\ufe52": ".",
    "\uff61": ".",
    "\ufe6b": "@",
    "\ufe62": "+",
    "\ufe63": "-",
}


class Level:
    """A text after some levels of decoding."""

    __slots__ = ("_parent", "_source_ends", "_source_starts", "_text_ends", "_text_starts", "text")

    def __init__(self, text: str, parent: "Level | None" = None) -> None:
        self.text = text
        self._parent = parent
        # The bounds of every decoded piece, in this text and in the text of the parent.
        self._text_starts: list[int] = []
        self._text_ends: list[int] = []
        self._source_starts: list[int] = []
        self._source_ends: list[int] = []

    def source(self, span: Span) -> Span:
        """Map a span of this text to the source."""
        level: Level | None = self
        start, end = span
        while level is not None and level._parent is not None:
            start, end = level._parent_start(start), level._parent_end(end)
            level = level._parent
        return start, end

    def decoded(self) -> "Level | None":
        """Decode one more level. Returns None when no encoding is left."""
        level = Level("", self)
        pieces: list[str] = []
        position = length = 0
        for match in _ENCODED.finditer(self.text):
            literal = self.text[position : match.start()]
            decoded = _decode(match)
            length += len(literal)
            level._text_starts.append(length)
            length += len(decoded)
            level._text_ends.append(length)
            level._source_starts.append(match.start())
            level._source_ends.append(match.end())
            pieces += (literal, decoded)
            position = match.end()
        if not pieces:
            return None
        pieces.append(self.text[position:])
        level.text = "".join(pieces)
        return level

    def _parent_start(self, position: int) -> int:
        place = bisect_right(self._text_starts, position) - 1
        if place < 0:
            return position
        if position < self._text_ends[place]:
            return self._source_starts[place]
        return self._source_ends[place] + position - self._text_ends[place]

    def _parent_end(self, position: int) -> int:
        place = bisect_left(self._text_starts, position) - 1
        if place < 0:
            return position
        if position <= self._text_ends[place]:
            return self._source_ends[place]
        return self._source_ends[place] + position - self._text_ends[place]


def levels(text: str) -> Iterator[Level]:
    """Yield the text, then its decoded form of each level, until no encoding is left."""
    level: Level | None = Level(text)
    for _ in range(MAX_LEVELS):
        if level is None:
            return
        yield level
        level = level.decoded()


def decode_fully(text: str) -> str:
    """Decode all levels of a text."""
    for _ in range(MAX_LEVELS):
        decoded = _ENCODED.sub(_decode, text)
        if decoded == text:
            break
        text = decoded
    return text


def _decode(match: re.Match[str]) -> str:
    kind = match.lastgroup
    found = match[0]
    if kind == "percent":
        return chr(int(found[1:], 16))
    if kind == "bytes":
        return bytes.fromhex(found.replace("%", "")).decode("utf-8", "replace")
    if kind == "entity":
        return html.unescape(found if found.endswith(";") else f"{found};")
    if kind == "escape":
        return _ESCAPES.get(match["escape"], match["escape"])
    if kind == "invisible":
        return ""
    if kind == "folded":
        return _fold(found)
    return chr(int(match[str(kind)], 16))


def _fold(character: str) -> str:
    if character in _FOLDED:
        return _FOLDED[character]
    if character.isspace():
        return " "
    code = ord(character)
    if code >= 0xFF01:
        return chr(code - 0xFEE0)
    return str(code & 0xF)
