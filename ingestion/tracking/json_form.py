"""A producer's event as JSON can hold it: nothing is changed into something legal before it is judged."""

import math
import re
from collections.abc import Mapping
from datetime import date
from enum import Enum
from typing import Any, Final
from uuid import UUID

from ingestion.redaction.redactor import drop_addresses

# Parts of a path that may be shown: anything else could be somebody's data.
_SHOWN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
# Python writes no more than 4,300 digits, and no reader of JSON takes them.
_MAX_BITS: Final = 1_024
AGENTS: Final = ("userAgent", "user_agent")


class JsonForm:
    """Reads values into what JSON has, and collects the reasons against those that JSON cannot hold.

    Texts, numbers, true, false, null, lists, tuples, and mappings with texts as keys are JSON. An enum stands for its
    value, a UUID, a date and a time for their text. Everything else, NaN and infinities too, is a reason.
    """

    def __init__(self) -> None:
        self.reasons: list[str] = []

    def of(self, value: object, path: str = "") -> Any:
        """Return the JSON form of a value; of a value that has none, null, and a reason is kept."""
        if isinstance(value, Enum):
            return self.of(value.value, path)
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            return self._text(value, path)
        if isinstance(value, int):
            return int(value) if value.bit_length() <= _MAX_BITS else self._refuse(path, "a number that is too large")
        if isinstance(value, float):
            return float(value) if math.isfinite(value) else self._refuse(path, "NaN or infinite")
        if isinstance(value, Mapping):
            return self._object(value, path)
        if isinstance(value, list | tuple):
            return [self.of(inner, f"{path}[{place}]") for place, inner in enumerate(value)]
        if isinstance(value, UUID):
            return str(value)
        if isinstance(value, date):
            return value.isoformat()
        return self._refuse(path, f"a value of type {type(value).__name__}")

    def _object(self, value: Mapping[object, object], path: str) -> dict[str, Any]:
        form = {}
        for key, inner in value.items():
            if not isinstance(key, str):
                self._refuse(path, "a key that is no text")
                continue
            shown = key if _SHOWN.fullmatch(key) else "..."
            form[self._text(key, path) or ""] = self.of(inner, f"{path}.{shown}" if path else shown)
        return form

    def _text(self, text: str, path: str) -> str | None:
        try:
            text.encode()
        except UnicodeEncodeError:
            self._refuse(path, "half a character (a lone surrogate)")
            return None
        return str.__str__(text)

    def _refuse(self, path: str, what: str) -> None:
        self.reasons.append(f"{path or 'event'}: {what}, which JSON cannot hold")


def without_addresses(document: dict[str, Any]) -> dict[str, Any]:
    """Return an event without the keys whose values are never stored. The user agent stays: the warehouse parses it."""
    kept: dict[str, Any] = drop_addresses(document)
    for section in ("context", "props"):
        if isinstance(inner := document.get(section), dict):
            kept[section] |= {key: inner[key] for key in AGENTS if key in inner}
    return kept
