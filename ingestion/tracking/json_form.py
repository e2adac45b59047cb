"""Conversion of a producer's event to JSON values. No value is changed into a valid one before it is validated."""

import math
import re
from collections.abc import Mapping
from datetime import date
from enum import Enum
from typing import Any, Final
from uuid import UUID

# Parts of a path that reasons may show: any other part could be personal data.
_SHOWN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
# Python writes at most 4,300 digits, and readers of JSON take fewer.
_MAX_BITS: Final = 1_024


class JsonForm:
    """Converter of Python values to JSON values. Collects a reason for each value that JSON cannot hold.

    Texts, numbers, true, false, null, lists, tuples, and mappings with texts as keys are JSON. An enum becomes its
    value; a UUID, a date and a time become their text. Any other value, NaN and infinities too, gives a reason.
    """

    def __init__(self) -> None:
        self.reasons: list[str] = []

    def of(self, value: object, path: str = "") -> Any:
        """Return the JSON form of a value. A value without one gives null and a reason."""
        if isinstance(value, Enum):
            return self.of(value.value, path)
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            return self._text(value, path)
        if isinstance(value, int):
            return int(value) if value.bit_length() <= _MAX_BITS else self._reject(path, "a number that is too large")
        if isinstance(value, float):
            return float(value) if math.isfinite(value) else self._reject(path, "NaN or infinite")
        if isinstance(value, Mapping):
            return self._object(value, path)
        if isinstance(value, list | tuple):
            return [self.of(inner, f"{path}[{place}]") for place, inner in enumerate(value)]
        if isinstance(value, UUID):
            return str(value)
        if isinstance(value, date):
            return value.isoformat()
        return self._reject(path, f"a value of type {type(value).__name__}")

    def _object(self, value: Mapping[object, object], path: str) -> dict[str, Any]:
        form = {}
        for key, inner in value.items():
            if not isinstance(key, str):
                self._reject(path, "a key that is no text")
                continue
            shown = key if _SHOWN.fullmatch(key) else "..."
            form[self._text(key, path) or ""] = self.of(inner, f"{path}.{shown}" if path else shown)
        return form

    def _text(self, text: str, path: str) -> str | None:
        try:
            text.encode()
        except UnicodeEncodeError:
            self._reject(path, "half a character (a lone surrogate)")
            return None
        return str.__str__(text)

    def _reject(self, path: str, problem: str) -> None:
        self.reasons.append(f"{path or 'event'}: {problem}, which JSON cannot hold")
