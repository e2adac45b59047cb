"""One spelling for what can be normalized in several ways: snake_case keys become camelCase, absent is absent. Whether
the values are any good is not decided here.
"""

import json
import re
from typing import Any, Final, NamedTuple

import msgspec

from ingestion.contract import SECTIONS, Event, camel_keys

_EVENT_KEYS: Final = camel_keys(Event)
_SECTION_KEYS: Final = {section: camel_keys(struct) for section, struct in SECTIONS.items()}
_SNAKE_EVENT: Final = frozenset(_EVENT_KEYS)
# The keys of each section that are normalized in snake_case.
SNAKE_KEYS: Final = {section: frozenset(keys) for section, keys in _SECTION_KEYS.items()}

# A NUL as JSON spells it: the escape after an even number of backslashes.
_NUL: Final = re.compile(rb"(?<!\\)(?:\\\\)*+\\u0000")
_TEXT: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"')


class Conflict(NamedTuple):
    """A field that came in both spellings with different values; `section` is empty at the top of an event."""

    section: str
    key: str
    snake: str

    @property
    def field(self) -> str:
        """The field as reasons name it."""
        return f"{self.section}.{self.key}" if self.section else self.key

    @property
    def reason(self) -> str:
        """The reason why neither value counts."""
        return f"given twice with different values, also as {self.snake}"


class NormalizedEvent(NamedTuple):
    """An event's object under camelCase keys."""

    sent: dict[str, Any]  # everything that was sent: what the canonical form is made of
    present: dict[str, Any]  # without conflicts and the known fields that are null or empty, which count as absent
    conflicts: list[Conflict]


def is_camel(document: dict[str, Any]) -> bool:
    """Whether no known key is normalized in snake_case, so that the document may be taken as it is."""
    if not _SNAKE_EVENT.isdisjoint(document):
        return False
    for section, snake in SNAKE_KEYS.items():
        inner = document.get(section)
        if type(inner) is dict and not snake.isdisjoint(inner):
            return False
    return True


def normalize_keys(document: dict[str, Any]) -> NormalizedEvent:
    """Spell a document in camelCase. Of two spellings the one that holds a value counts; two equal values are one.

    Two that differ are both kept in what was sent, and neither of them is present.
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
    """Tell whether decoding a line hid something of it: keys that stand twice, or NUL characters.

    A key that got lost makes the canonical form have fewer of them. Without a backslash in the line every quote begins
    or ends a text, and a key has two; otherwise keys are the colons that stand outside of texts. Only where the numbers
    differ is the line read the slow way: two spellings of one key, for one, are no duplicates.
    """
    if b"\\" in line:
        if _NUL.search(canonical) is not None:
            return True
        is_complete = _TEXT.sub(b"", line).count(b":") == _TEXT.sub(b"", canonical).count(b":")
    else:
        is_complete = line.count(b'"') == canonical.count(b'"')
    return not is_complete and has_duplicate_keys(line.decode())


def has_duplicate_keys(text: str) -> bool:
    """Whether any object of this JSON text has a key twice, in the same spelling. Exact, and slow.

    Which of the two is meant cannot be known (parsers differ: first or last), so such an event is refused.
    """
    try:
        _check_duplicates(text)
    except _DuplicateKeyError:
        return True
    return False


class _DuplicateKeyError(Exception):
    """An object has a key twice."""


def _look_at_keys(pairs: list[tuple[str, Any]]) -> None:
    if len({key for key, _ in pairs}) < len(pairs):
        raise _DuplicateKeyError


# Numbers are left as text: their digits do not matter here, and Python refuses to read very long ones.
_check_duplicates: Final = json.JSONDecoder(object_pairs_hook=_look_at_keys, parse_int=str, parse_float=str).decode


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
