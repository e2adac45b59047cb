"""JSON Schema of an event in camelCase: an event is valid by the schema if the warehouse accepts it.

The types of contract.py are stricter. The warehouse also accepts null and empty texts as absent, placeholders as ids,
and drops a descriptive field that breaks its rule. So the rules of `attribution`, `context` and `sessionId` are only
definitions, for producers who want these fields kept.
"""

import re
from collections.abc import Iterable, Set
from typing import Any, Final

from ingestion.contract import ID_FIELDS, MAX_ID_LENGTH, json_schema
from ingestion.validation_lists import default_rules

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_EMPTY: Final = {"const": ""}
_NULL: Final = {"type": "null"}
_DROPPED: Final = "anything else is dropped and counted, and the event stays"
_ABSENT_OR: Final = ("receivedAt", "source", "actorType", "entityType")


def event_schema() -> dict[str, Any]:
    """Return the JSON Schema of an event. Rules that a schema cannot express are in docs/reference/events.md."""
    placeholders = default_rules().placeholder_ids
    schema = json_schema()
    event, props = schema["$defs"]["Event"], schema["$defs"]["Props"]
    fields = event["properties"]
    for name in _ABSENT_OR:
        fields[name]["anyOf"].append(_EMPTY)
    for name in ID_FIELDS:
        fields[name] = _id(placeholders)
    for name, definition in (("attribution", "Attribution"), ("context", "Context"), ("sessionId", "SessionId")):
        fields[name] = {"description": f"as in #/$defs/{definition}; {_DROPPED}"}
    schema["$defs"]["SessionId"] = {"description": "a UUID", "type": "string", "format": "uuid"}
    fields["props"] = _props(fields["props"])
    for name in ("revenueCents", "feeCents", "engagementTime"):
        props["properties"][name]["anyOf"].append(_EMPTY)
    props["properties"]["userAgent"] = {"description": f"a text; {_DROPPED}"}
    given = {"type": "string", "pattern": _pattern_of_ids(placeholders)}
    event["if"] = {"required": ["entityId"], "properties": {"entityId": given}}
    event["then"] = {"required": ["entityType"], "properties": {"entityType": {"type": "string", "minLength": 1}}}
    return {"$schema": _DIALECT, "title": "Tracking event", **schema}


def _id(placeholders: Set[str]) -> dict[str, Any]:
    numbers = sorted(int(text) for text in placeholders if re.fullmatch(r"0|-?[1-9][0-9]{0,17}", text))
    kinds: list[dict[str, Any]] = [{"type": "string", "maxLength": MAX_ID_LENGTH}, _NULL]
    return {
        "description": f"a text of at most {MAX_ID_LENGTH} characters; a placeholder, such as undefined, is absent",
        "anyOf": [*kinds, {"enum": numbers}] if numbers else kinds,
        "default": None,
    }


def _props(section: dict[str, Any]) -> dict[str, Any]:
    (props,) = (kind for kind in section["anyOf"] if kind.get("type") == "object")
    anything_else = {"description": f"no object: {_DROPPED}", "not": {"type": "object"}}
    return {"anyOf": [_of_numbers(props) | {"allOf": [{"$ref": "#/$defs/Props"}]}, anything_else], "default": None}


def _of_numbers(schema: Any) -> Any:
    """Return a schema without its whole numbers of 64 bits, which are numbers like all others on the wire."""
    if isinstance(schema, dict):
        return {
            key: _of_numbers([kind for kind in inner if kind.get("type") != "integer"])
            if key == "anyOf"
            else _of_numbers(inner)
            for key, inner in schema.items()
        }
    return [_of_numbers(inner) for inner in schema] if isinstance(schema, list) else schema


def _pattern_of_ids(placeholders: Iterable[str]) -> str:
    """Return the pattern of texts that are neither blank nor a placeholder in any letter case."""
    alternatives = "|".join("".join(map(_any_case, text)) for text in sorted(placeholders))
    excluded = rf"(?!\s*({alternatives})\s*(?![\s\S]))" if alternatives else ""
    return rf"^{excluded}\s*\S"


def _any_case(character: str) -> str:
    if character.isalpha():
        return f"[{character}{character.upper()}]"
    # Escaped for every engine: ECMAScript does not have all escapes of Python's re.escape.
    return rf"\{character}" if character in r"[](){}.*+?^$|/\\" else character
