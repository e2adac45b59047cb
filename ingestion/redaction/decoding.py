"""Decoding of texts, level by level, with a map from each decoded character to its source.

One level undoes one layer of encoding in the whole text: percent-encoding, HTML entities, escapes of JSON and
JavaScript, characters without width, full-width and Arabic digits and signs. Spans of a decoded text are mapped back
to the source, so that only the personal characters are replaced.
"""

import html
import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from operator import itemgetter
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


class Level:
    """A text after some levels of decoding."""

    __slots__ = ("_bounds", "_parent", "text")

    def __init__(self, text: str, parent: "Level | None" = None) -> None:
        self.text = text
        self._parent = parent
        # Start and end of every decoded piece, in this text and in the text of the parent.
        self._bounds: list[tuple[int, int, int, int]] = []

    def source(self, span: Span) -> Span:
        """Map a span of this text to the source."""
        if self._parent is None:
            return span
        return self._parent.source((self._in_parent(span[0], is_end=False), self._in_parent(span[1], is_end=True)))

    def decoded(self) -> "Level | None":
        """Decode one more level. Returns None when no encoding is left."""
        level = Level("", self)
        pieces: list[str] = []
        position = length = 0
        for match in _ENCODED.finditer(self.text):
            literal = self.text[position : match.start()]
            decoded = _decode(match)
            start = length + len(literal)
            length = start + len(decoded)
            level._bounds.append((start, length, *match.span()))
            pieces += (literal, decoded)
            position = match.end()
        if not pieces:
            return None
        pieces.append(self.text[position:])
        level.text = "".join(pieces)
        return level

    def _in_parent(self, position: int, *, is_end: bool) -> int:
        place = (bisect_left if is_end else bisect_right)(self._bounds, position, key=itemgetter(0)) - 1
        if place < 0:
            return position
        _, end, source_start, source_end = self._bounds[place]
        if position < end:
            return source_end if is_end else source_start
        return source_end + position - end


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
    if character.isdigit():
        return str(unicodedata.digit(character))
    folded = unicodedata.normalize("NFKC", character)
    # The ideographic full stop separates the labels of a host too.
    return "." if folded == "\u3002" else folded
