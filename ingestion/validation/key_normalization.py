"""Normalization of keys: snake_case becomes camelCase, and null or empty fields count as absent. Checks no values."""

import json
import re
from typing import Any, Final, NamedTuple

import msgspec

from ingestion.contract import SECTIONS, Event, camel_keys

_EVENT_KEYS: Final = camel_keys(Event)
_SECTION_KEYS: Final = {section: camel_keys(struct) for section, struct in SECTIONS.items()}
_SNAKE_EVENT: Final = frozenset(_EVENT_KEYS)
# The snake_case keys of each section.
SNAKE_KEYS: Final = {section: frozenset(keys) for section, keys in _SECTION_KEYS.items()}

# A NUL in JSON: the escape after an even number of backslashes.
_NUL: Final = re.compile(rb"(?<!\\)(?:\\\\)*+\\u0000")
_TEXT: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"')


class Conflict(NamedTuple):
    """A field that is given in camelCase and snake_case with different values. `section` is empty at the top."""

    section: str
    key: str
    snake: str

    @property
    def field(self) -> str:
        """Return the name of the field in reasons."""
        return f"{self.section}.{self.key}" if self.section else self.key

    @property
    def reason(self) -> str:
        """Return the reason why neither value counts."""
        return f"given twice with different values, also as {self.snake}"


class NormalizedEvent(NamedTuple):
    """An event's object under camelCase keys."""

    sent: dict[str, Any]  # everything that was sent: the source of the canonical form
    present: dict[str, Any]  # without conflicts and the known fields that are null or empty, which count as absent
    conflicts: list[Conflict]


def is_camel(document: dict[str, Any]) -> bool:
    """Return True if no known key is in snake_case, so that the document needs no normalization."""
    if not _SNAKE_EVENT.isdisjoint(document):
        return False
    for section, snake in SNAKE_KEYS.items():
        inner = document.get(section)
        if type(inner) is dict and not snake.isdisjoint(inner):
            return False
    return True


def normalize_keys(document: dict[str, Any]) -> NormalizedEvent:
    """Normalize a document to camelCase keys.

    Of a field in both forms the one with a value counts. Two values that differ are both kept in `sent`, and neither
    is present.
    """
    conflicts: list[Conflict] = []
    sent = _renamed(document, _EVENT_KEYS, "", conflicts)
    for section, keys in _SECTION_KEYS.items():
        if type(sent.get(section)) is dict:
            sent[section] = _renamed(sent[section], keys, section, conflicts)
    present = _without_absent(sent, Event)
    for section, struct in SECTIONS.items():
        if type(present.get(section)) is dict:
            present[section] = _without_absent(present[section], struct)
    for conflict in conflicts:
        inner = present[conflict.section] if conflict.section else present
        for key in (conflict.key, conflict.snake):
            inner.pop(key, None)
    return NormalizedEvent(sent, present, conflicts)


def has_hidden_content(line: bytes, canonical: bytes) -> bool:
    """Return True if a line has duplicate keys or NUL characters, which decoding hides.

    A duplicate shows as fewer keys in the canonical form. Keys are counted by quotes if the line has no backslash, else
    by the colons outside of texts. Only if the counts differ is the line parsed again: a key in camelCase and in
    snake_case, for example, is no duplicate.
    """
    if b"\\" in line:
        if _NUL.search(canonical) is not None:
            return True
        is_complete = _TEXT.sub(b"", line).count(b":") == _TEXT.sub(b"", canonical).count(b":")
    else:
        is_complete = line.count(b'"') == canonical.count(b'"')
    return not is_complete and has_duplicate_keys(line.decode())


def has_duplicate_keys(text: str) -> bool:
    """Return True if any object of a JSON text has an identical key twice. Exact, and slow.

    Parsers differ on whether the first or the last one counts, so such an event is rejected.
    """
    try:
        _check_duplicates(text)
    except _DuplicateKeyError:
        return True
    return False


class _DuplicateKeyError(Exception):
    """An object has a key twice."""


def _reject_duplicates(pairs: list[tuple[str, Any]]) -> None:
    if len({key for key, _ in pairs}) < len(pairs):
        raise _DuplicateKeyError


# Numbers are left as text: their digits do not matter here, and Python does not read very long ones.
_check_duplicates: Final = json.JSONDecoder(object_pairs_hook=_reject_duplicates, parse_int=str, parse_float=str).decode


def _renamed(document: dict[str, Any], keys: dict[str, str], section: str, conflicts: list[Conflict]) -> dict[str, Any]:
    renamed = {key: value for key, value in document.items() if key not in keys}
    for snake, camel in keys.items():
        if snake not in document:
            continue
        value = document[snake]
        if camel not in renamed or _is_absent(renamed[camel]):
            renamed[camel] = value
        elif not _is_absent(value) and (type(value) is not type(renamed[camel]) or value != renamed[camel]):
            renamed[snake] = value
            conflicts.append(Conflict(section, camel, snake))
    return renamed


def _without_absent(document: dict[str, Any], struct: type[msgspec.Struct]) -> dict[str, Any]:
    known = struct.__struct_encode_fields__
    return {key: value for key, value in document.items() if not (key in known and _is_absent(value))}


def _is_absent(value: Any) -> bool:
    return value is None or value == ""
