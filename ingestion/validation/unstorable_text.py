"""Descriptive fields with text that Postgres cannot store: NUL characters and lone surrogates.

JavaScript makes a lone surrogate when it cuts a text inside an emoji. The rest of such an event is good, so only the
field is dropped. Before the event is read, the field's value becomes a list with the value as ASCII JSON. A list breaks
the rule of every descriptive field, so the reader drops and counts the field. The list still differs for different
values, so that the canonical hash does too.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, Final, TypeGuard

from ingestion.contract import SECTIONS, Attribution, Context
from ingestion.validation.consent import DECLINING_KEYS
from ingestion.validation.errors import read_document
from ingestion.validation.key_normalization import has_duplicate_keys

_UNSTORABLE: Final = re.compile("[\0\ud800-\udfff]")
_SESSION: Final = ("sessionId", "session_id")
# Consent is read from the value as it was sent.
_DESCRIPTIVE: Final = {
    "attribution": frozenset((*Attribution.__struct_fields__, *Attribution.__struct_encode_fields__)),
    "context": frozenset((*Context.__struct_fields__, *Context.__struct_encode_fields__)) - frozenset(DECLINING_KEYS),
    "props": frozenset({"userAgent", "user_agent"}),
}


def escape_unstorable(event: dict[str, Any]) -> dict[str, Any]:
    """Return an event with the values of unstorable descriptive fields as lists; the event itself if it has none."""
    escaped: dict[str, Any] = {name: _escaped(value) for name in _SESSION if _is_unstorable(value := event.get(name))}
    for section in SECTIONS:
        inner = event.get(section)
        if not isinstance(inner, Mapping):
            if _is_unstorable(inner):
                escaped[section] = _escaped(inner)
            continue
        fields = [name for name in _DESCRIPTIVE[section] & inner.keys() if _is_unstorable(inner[name])]
        if fields:
            escaped[section] = {**inner, **{name: _escaped(inner[name]) for name in fields}}
    return event | escaped if escaped else event


def escape_line(line: bytes) -> bytes | None:
    """Return a line with its unstorable descriptive fields escaped; None for any line without such a field."""
    try:
        event = read_document(line)
        if not isinstance(event, dict) or has_duplicate_keys(line.decode()):
            return None
    except (ValueError, RecursionError):
        return None
    escaped = escape_unstorable(event)
    return None if escaped is event else json.dumps(escaped).encode()


def _is_unstorable(value: Any) -> TypeGuard[str]:
    return isinstance(value, str) and _UNSTORABLE.search(value) is not None


def _escaped(value: str) -> list[str]:
    return [json.dumps(value)]
