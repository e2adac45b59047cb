"""One spelling for what can be spelled in several ways: snake_case keys become camelCase, absent is absent. Whether
the values are any good is not decided here.
"""

import json
from typing import Any, Final, NamedTuple

import msgspec

from ingestion.contract import DEVICE_SOURCES, SECTIONS, Event, camel_keys

_EVENT_KEYS: Final = camel_keys(Event)
_SECTION_KEYS: Final = {section: camel_keys(struct) for section, struct in SECTIONS.items()}
_SNAKE_EVENT: Final = frozenset(_EVENT_KEYS)
# The keys of each section that are spelled in snake_case.
SNAKE_KEYS: Final = {section: frozenset(keys) for section, keys in _SECTION_KEYS.items()}
_DECLINED: Final = frozenset({"1", "true", "yes"})


class Spelled(NamedTuple):
    """An event's object under camelCase keys."""

    sent: dict[str, Any]  # everything that was sent: what the canonical form is made of
    present: dict[str, Any]  # the same without the known fields that are null or empty, which count as absent
    conflicts: list[str]  # the reasons against it: fields that came in both spellings and differ


def is_camel(document: dict[str, Any]) -> bool:
    """Whether no known key is spelled in snake_case, so that the document may be taken as it is."""
    if not _SNAKE_EVENT.isdisjoint(document):
        return False
    for section, snake in SNAKE_KEYS.items():
        inner = document.get(section)
        if type(inner) is dict and not snake.isdisjoint(inner):
            return False
    return True


def declines(do_not_track: Any) -> bool:
    """Whether a value of doNotTrack, of any type, says that a person declined."""
    return str(do_not_track).lower() in _DECLINED


def declines_tracking(document: dict[str, Any]) -> bool:
    """Whether an object, valid or not, asks not to be tracked and comes from a person's device."""
    context = document.get("context")
    if type(context) is not dict:
        return False
    if "doNotTrack" not in context and "do_not_track" not in context:
        return False
    for key in ("doNotTrack", "do_not_track"):
        if key in context and declines(context[key]):
            source = document.get("source")
            return source is None or source == "" or (type(source) is str and source in DEVICE_SOURCES)
    return False


def spell(document: dict[str, Any]) -> Spelled:
    """The document in camelCase. Of two spellings the one that holds a value counts; two equal values are one."""
    conflicts: list[str] = []
    sent = _renamed(document, _EVENT_KEYS, "", conflicts)
    for section, keys in _SECTION_KEYS.items():
        if type(sent.get(section)) is dict:
            sent[section] = _renamed(sent[section], keys, f"{section}.", conflicts)
    present = _without_absent(sent, Event)
    for section, struct in SECTIONS.items():
        if type(present.get(section)) is dict:
            present[section] = _without_absent(present[section], struct)
    return Spelled(sent, present, conflicts)


def has_duplicate_keys(text: str) -> bool:
    """Whether any object of this JSON text has a key twice, in the same spelling. Exact, and slow.

    Which of the two is meant cannot be known (parsers differ: first or last), so such an event is refused.
    """
    try:
        _refuse_duplicates(text)
    except _DuplicateKeyError:
        return True
    return False


class _DuplicateKeyError(Exception):
    """An object has a key twice."""


def _look_at_keys(pairs: list[tuple[str, Any]]) -> None:
    if len({key for key, _ in pairs}) < len(pairs):
        raise _DuplicateKeyError


# Numbers are left as text: their digits do not matter here, and Python refuses to read very long ones.
_refuse_duplicates: Final = json.JSONDecoder(object_pairs_hook=_look_at_keys, parse_int=str, parse_float=str).decode


def _renamed(document: dict[str, Any], keys: dict[str, str], prefix: str, conflicts: list[str]) -> dict[str, Any]:
    renamed = {key: value for key, value in document.items() if key not in keys}
    for snake, camel in keys.items():
        if snake not in document:
            continue
        value = document[snake]
        if camel not in renamed or _is_absent(renamed[camel]):
            renamed[camel] = value
        elif not _is_absent(value) and (type(value) is not type(renamed[camel]) or value != renamed[camel]):
            conflicts.append(f"{prefix}{camel}: given twice with different values, also as {snake}")
    return renamed


def _without_absent(document: dict[str, Any], struct: type[msgspec.Struct]) -> dict[str, Any]:
    known = struct.__struct_encode_fields__
    return {key: value for key, value in document.items() if not (key in known and _is_absent(value))}


def _is_absent(value: Any) -> bool:
    return value is None or value == ""
