"""Consent: detection of events that decline tracking. A doubtful answer declines, and the event is stored in no form.

`doNotTrack` counts at the top of an event, in `context` and in `props`, in camelCase and snake_case. Only the servers
of the product are exempt, which are no person's device: events whose source is exactly one of EXEMPT_SOURCES.

An invalid line is searched token by token, so that neither a repeated key nor deep nesting hides an answer.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from ingestion.contract import EXEMPT_SOURCES

DECLINING_KEYS: Final = ("doNotTrack", "do_not_track")
_SECTIONS: Final = ("context", "props")
# Texts of browsers, extensions and consent tools for "tracking is allowed".
_ALLOWED: Final = frozenset({"", "0", "false", "no", "off", "unspecified"})
# An escape may stand for any letter of a key.
_HINT: Final = re.compile(rb"(?:oNotTrac|o_not_trac|\\u)")
_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*+"|[{}\[\],:]|[^\s{}\[\],:"]++', re.DOTALL)
_OPENING: Final = frozenset("{[")
_CLOSING: Final = frozenset("}]")
# Reads more than JSON: NaN and control characters. The answer of a person counts in an invalid line too.
_read: Final = json.JSONDecoder(strict=False, parse_int=float).decode


def declines(do_not_track: object) -> bool:
    """Return True if a value of doNotTrack, of any type, is anything but a clear no."""
    if do_not_track is None or do_not_track is False:
        return False
    if isinstance(do_not_track, str):
        return do_not_track.strip().casefold() not in _ALLOWED
    if isinstance(do_not_track, int | float):
        return do_not_track != 0
    return True


def declines_tracking(event: Mapping[str, Any]) -> bool:
    """Return True if an event, valid or not, declines tracking and does not come from a server."""
    return (
        any(key in event and declines(event[key]) for key in DECLINING_KEYS)
        or any(_declines_within(event.get(section)) for section in _SECTIONS)
    ) and not _is_exempt(event.get("source"))


def line_declines(line: bytes) -> bool:
    """Return True if a line that parses, with any mistakes, holds an event that declines tracking."""
    if _HINT.search(line := line.replace(b"\0", b"")) is None:
        return False
    text = line.decode("utf-8", "replace")
    try:
        _read(text)
    except RecursionError:
        return _Search().declines(text, must_end=True)
    except ValueError:
        return False
    return _Search().declines(text)


def start_declines(head: bytes) -> bool:
    """Return True if the start of a line that was not read whole declines tracking."""
    return _HINT.search(head) is not None and _Search().declines(head.decode("utf-8", "replace"))


def _declines_within(section: object) -> bool:
    return isinstance(section, Mapping) and any(key in section and declines(section[key]) for key in DECLINING_KEYS)


def _is_exempt(source: object) -> bool:
    return isinstance(source, str) and source in EXEMPT_SOURCES


class _Search:
    """A search of a text for events that decline, without recursion. Events are the outermost objects."""

    def __init__(self) -> None:
        self._keys: list[str | None] = []  # the current key of every open object; None for a list
        self._is_key_next = False
        self._sources: list[bool] = []
        self._has_declined = False

    def declines(self, text: str, *, must_end: bool = False) -> bool:
        """Return True if any event of the text declines. With `must_end` only if everything that opens is closed."""
        is_found = False
        for piece in _TOKEN.findall(text):
            if piece in _OPENING:
                self._record(piece)
                self._keys.append("" if piece == "{" else None)
                self._is_key_next = piece == "{"
            elif piece in _CLOSING:
                if self._keys:
                    self._keys.pop()
                self._is_key_next = False
                if piece == "}" and all(key is None for key in self._keys):
                    is_found = is_found or self._ended()
            elif piece == ",":
                self._is_key_next = bool(self._keys) and self._keys[-1] is not None
            elif self._is_key_next:
                self._keys[-1] = _text(piece)
                self._is_key_next = False
            elif piece != ":":
                self._record(piece)
        if must_end and self._keys:
            return False
        return is_found or self._ended()

    def _ended(self) -> bool:
        """Return the answer of the event that ends here, and reset the state."""
        is_exempt = bool(self._sources) and all(self._sources)
        has_declined = self._has_declined and not is_exempt
        self._sources, self._has_declined = [], False
        return has_declined

    def _record(self, value: str) -> None:
        """Record a value that begins here, if it stands where consent or source count."""
        if not self._keys or self._keys[-1] is None:
            return
        keys = [key for key in self._keys[:3] if key is not None]
        depth = len(self._keys) - (self._keys[0] is None)
        if len(keys) != depth or depth > 2 or (depth == 2 and keys[0] not in _SECTIONS):
            return
        if keys[-1] in DECLINING_KEYS:
            self._has_declined = self._has_declined or value in _OPENING or declines(_value(value))
        elif depth == 1 and keys[0] == "source":
            self._sources.append(_is_exempt(_value(value)))


def _text(piece: str) -> str:
    value = _value(piece)
    return value if isinstance(value, str) else ""


def _value(piece: str) -> Any:
    try:
        return _read(piece)
    except ValueError:
        return piece
