"""The stored text of a rejected line: personal data redacted, and in a form that Postgres takes.

A line that is JSON keeps its keys, also duplicates, their order and the digits of its numbers. Any other line is
redacted as plain text. The result has no NUL characters, is valid Unicode, and is cut to 64 KiB.
"""

import json
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from ingestion.redaction.marker import REDACTED
from ingestion.redaction.redactor import IsEncryptedKey, Redactor, default_redactor, no_key, redacted_value

# Enough to see what is wrong with a line; the landing file still has all of it.
MAX_KEPT_BYTES: Final = 65_536
CUT_MARK: Final = "… [cut]"


class _Pairs(list[tuple[str, Any]]):
    """A JSON object with the order of its keys and with duplicates."""


class _Number(str):
    """A JSON number with its digits as they were sent."""

    __slots__ = ()


def redact_line(line: bytes, is_encrypted_key: IsEncryptedKey = no_key, redactor: Redactor | None = None) -> str:
    """Return the line without personal data: valid Unicode, no NUL, at most 64 KiB of UTF-8. Never raises.

    Values of encrypted props are replaced as well. Without a redactor the rules of this checkout's seeds apply.
    """
    # NULs are removed rather than shown: between the letters of UTF-16 they would hide personal data.
    text = line.decode("utf-8", "backslashreplace").replace("\0", "")
    redactor = redactor or default_redactor()
    try:
        kept = _Renderer(redactor, is_encrypted_key).render(_parse(text))
    except (ValueError, RecursionError):
        kept = redactor.text(text, is_encrypted_key=is_encrypted_key)
    return _cut(kept.encode("utf-8", "backslashreplace"))


def _reject_constant(_: str) -> Any:
    raise ValueError("not JSON")


# json.loads would make a decoder for every line.
_parse: Final = json.JSONDecoder(
    object_pairs_hook=_Pairs, parse_int=_Number, parse_float=_Number, parse_constant=_reject_constant
).decode


class _Renderer(NamedTuple):
    """Renderer of JSON values without personal data."""

    redactor: Redactor
    is_encrypted_key: IsEncryptedKey

    def render(self, value: Any, key: str = "") -> str:
        """Return a value as JSON. `key` is the one that it stands under."""
        if type(value) is str:
            return _quoted(self.redactor.text(value, key=key, is_encrypted_key=self.is_encrypted_key))
        if isinstance(value, _Number):
            return _quoted(REDACTED) if self.redactor.redacts_number(value, key) else str(value)
        if isinstance(value, _Pairs):
            text = self.redactor.text
            members = [f"{_quoted(text(name))}:{self._render_member(name, inner)}" for name, inner in value]
            return "{" + ",".join(members) + "}"
        if isinstance(value, list):
            return "[" + ",".join(self.render(item, key) for item in value) + "]"
        return json.dumps(value)

    def _render_member(self, key: str, value: Any) -> str:
        if self.is_encrypted_key(key):
            return "null" if value is None else _quoted(REDACTED)
        if self.redactor.keys.action_for(key, value) != "keep":
            return _quoted(REDACTED) if redacted_value(value) is REDACTED else json.dumps(value)
        return self.render(value, key)


# A NUL or a lone surrogate that was an escape is an escape again, which any text column takes.
_quoted: Final[Callable[[str], str]] = json.encoder.encode_basestring


def _cut(encoded: bytes) -> str:
    if len(encoded) <= MAX_KEPT_BYTES:
        return encoded.decode()
    room = MAX_KEPT_BYTES - len(CUT_MARK.encode())
    return encoded[:room].decode("utf-8", "ignore") + CUT_MARK
