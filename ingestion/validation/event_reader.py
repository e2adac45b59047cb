"""Parsing of a document to an event. Optional fields that are invalid are dropped and noted.

A descriptive field that breaks its rule, a section that is no object and a field in two spellings that differ are
dropped. An id that is a placeholder, such as `undefined`, is absent. An id loses the blanks around it and nothing else.
Any other broken rule makes the event invalid; errors.py finds the reasons.
"""

from collections.abc import Iterator, Set
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec

from ingestion.contract import (
    ID_FIELDS,
    MAX_ID_LENGTH,
    MAX_NUMBER,
    MAX_PROPS_DEPTH,
    SECTIONS,
    WHOLE_NUMBERS,
    Attribution,
    Context,
    Event,
    Props,
    SessionId,
    expectation,
)
from ingestion.validation.key_normalization import NormalizedEvent, is_camel, normalize_keys
from ingestion.validation.notes import Note

NO_PROPS: Final = Props()
NOT_AN_OBJECT: Final = "not an object"
REQUIRED: Final = frozenset(field.encode_name for field in msgspec.structs.fields(Event) if field.required)


class RuleViolation(Exception):
    """A rule that the types cannot express is broken; errors.py finds which one."""


class ParsedEvent(NamedTuple):
    """An event that was parsed from a document."""

    event: Event
    known: Props
    sent: dict[str, Any]  # the source of the canonical form
    props: dict[str, Any]  # the props to store, before redaction
    notes: tuple[Note, ...]


class Cleaned(NamedTuple):
    """The fields of a document that count, under camelCase keys, and notes on the others."""

    present: dict[str, Any]
    notes: list[Note]


def probe_of(annotation: Any) -> type[msgspec.Struct]:
    """Return a struct of one field, `value`, of the given type."""
    # msgspec compiles a bare type at every call, and a struct once.
    return msgspec.defstruct("Probe", [("value", annotation)])


def fits(value: Any, probe: type[msgspec.Struct]) -> bool:
    """Return True if a probe takes a value."""
    try:
        msgspec.convert({"value": value}, probe)
    except (msgspec.ValidationError, UnicodeError):
        return False
    return True


# By section: every descriptive field, its probe, and the reason when it does not fit.
_DESCRIPTIVE: Final = {
    section: [
        (field.encode_name, probe_of(field.type), f"not {expectation(field.type)}")
        for field in msgspec.structs.fields(struct)
        if names is None or field.encode_name in names
    ]
    for section, struct, names in (
        ("attribution", Attribution, None),
        ("context", Context, None),
        ("props", Props, {"userAgent"}),
    )
}
_SESSION: Final = probe_of(SessionId)
_Required: Final = msgspec.defstruct(
    "Required",
    [(field.name, field.type) for field in msgspec.structs.fields(Event) if field.required],
    rename="camel",
)
_NOT_A_UUID: Final = f"not {expectation(SessionId)}"


def parse_event(document: dict[str, Any], placeholders: Set[str]) -> ParsedEvent:
    """Parse the event of a document. Raises msgspec.ValidationError or RuleViolation when it is none."""
    if is_camel(document):
        if (parsed := _parse_at_once(document, document, placeholders)) is not None:
            return parsed
        # Most invalid lines break a required field, which nothing that is dropped can repair.
        msgspec.convert(document, _Required)
    normalized = normalize_keys(document)
    if (
        not normalized.conflicts
        and (parsed := _parse_at_once(normalized.sent, normalized.present, placeholders)) is not None
    ):
        return parsed
    return _parse_leniently(normalized, placeholders)


def clean(normalized: NormalizedEvent, placeholders: Set[str]) -> Cleaned:
    """Drop the optional fields of a document that are invalid."""
    present = dict(normalized.present)
    notes = [
        Note("dropped_fields", conflict.field, conflict.reason)
        for conflict in normalized.conflicts
        if conflict.field not in REQUIRED
    ]
    for section in SECTIONS:
        if section in present and not isinstance(present[section], dict):
            del present[section]
            notes.append(Note("dropped_fields", section, NOT_AN_OBJECT))
    for section, fields in _DESCRIPTIVE.items():
        if section not in present:
            continue
        inner = present[section] = dict(present[section])
        for name, probe, reason in fields:
            if name in inner and not fits(inner[name], probe):
                del inner[name]
                notes.append(Note("dropped_fields", f"{section}.{name}", reason))
    _clean_ids(present, notes, placeholders)
    if "props" in present:
        present["props"] = {name: _whole(name, value) for name, value in present["props"].items()}
    return Cleaned(present, notes)


def depth_of(value: Any) -> int:
    """Return how many levels of objects and lists a value has."""
    depth = 0
    level = [value]
    while level := [item for item in level if isinstance(item, dict | list)]:
        depth += 1
        level = [inner for item in level for inner in (item.values() if isinstance(item, dict) else item)]
    return depth


def leaves(value: Any) -> Iterator[Any]:
    """Yield every key, and every value that is no object or list, at any depth, without recursion."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            yield from item
            waiting += item.values()
        elif isinstance(item, list):
            waiting += item
        else:
            yield item


def has_large_number(value: Any) -> bool:
    """Return True if any number inside a value is beyond MAX_NUMBER."""
    return any(isinstance(leaf, int | float) and not -MAX_NUMBER <= leaf <= MAX_NUMBER for leaf in leaves(value))


def is_placeholder(value: Any, placeholders: Set[str]) -> bool:
    """Return True if a text or a number stands for "no id"."""
    if isinstance(value, str):
        return value.strip().casefold() in placeholders
    # True is a number to Python.
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and value == value // 1 and str(int(value)) in placeholders


def _parse_at_once(sent: dict[str, Any], present: dict[str, Any], placeholders: Set[str]) -> ParsedEvent | None:
    """Parse a document of which nothing is dropped; return None for any other."""
    try:
        event = msgspec.convert(present, Event)
        known = NO_PROPS if event.props is None else msgspec.convert(present["props"], Props)
    except msgspec.ValidationError:
        return None
    for name in ID_FIELDS:
        value = present.get(name)
        if value is not None and (value.strip() is not value or value.casefold() in placeholders):
            return None
    if event.session_id is not None and str(event.session_id) in placeholders:
        return None
    return ParsedEvent(event, known, sent, sent.get("props") or {}, ())


def _parse_leniently(normalized: NormalizedEvent, placeholders: Set[str]) -> ParsedEvent:
    present, notes = clean(normalized, placeholders)
    known = NO_PROPS
    props: dict[str, Any] = {}
    if "props" in present:
        known_props = present.pop("props")
        if depth_of(known_props) > MAX_PROPS_DEPTH or has_large_number(known_props):
            raise RuleViolation
        known = msgspec.convert(known_props, Props)
        props = normalized.sent["props"]
        for conflict in normalized.conflicts:
            if conflict.section == "props":
                props = {key: value for key, value in props.items() if key not in (conflict.key, conflict.snake)}
    event = msgspec.convert(present, Event)
    return ParsedEvent(event, known, normalized.sent, props, tuple(notes))


def _clean_ids(present: dict[str, Any], notes: list[Note], placeholders: Set[str]) -> None:
    for name in (*ID_FIELDS, "sessionId"):
        if name not in present:
            continue
        value = present[name]
        if is_placeholder(value, placeholders):
            del present[name]
            notes.append(Note("placeholder_ids", name))
        elif isinstance(value, str) and len(value) <= MAX_ID_LENGTH:
            if text := value.strip():
                present[name] = text
            else:
                del present[name]
    if "sessionId" not in present:
        return
    if not fits(present["sessionId"], _SESSION):
        del present["sessionId"]
        notes.append(Note("dropped_fields", "sessionId", _NOT_A_UUID))
    elif str(UUID(present["sessionId"])) in placeholders:
        del present["sessionId"]
        notes.append(Note("placeholder_ids", "sessionId"))


def _whole(name: str, value: Any) -> Any:
    """Return an amount without its fraction where that is zero: JSON knows no difference between 1 and 1.0."""
    if name in WHOLE_NUMBERS and isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def without_sessions(placeholders: Set[str]) -> frozenset[bytes]:
    """Return the placeholders that are UUIDs, as their bytes."""
    return frozenset(value.bytes for text in placeholders if (value := _uuid(text)) is not None)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
