"""The text of a rejected line as it is kept: personal data redacted, and in a form that Postgres takes.

A line that is JSON keeps its keys, their order and the spelling of its numbers, duplicate keys too; only what is
personal is replaced. Any other line is treated as loose text. Both come without NUL characters, as valid Unicode,
cut to 64 KiB.
"""

import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from ingestion.privacy import REDACTED, hide, is_personal, nothing, redact_loose_text, redact_text

# Enough to see what is wrong with a line; the landing file still has all of it.
MAX_KEPT_BYTES: Final = 65_536
_REMEMBERED_KEY_LENGTH: Final = 64
CUT_MARK: Final = "… [cut]"
# json.dumps would make an encoder for every text.
_encode_text: Final = json.JSONEncoder(ensure_ascii=False).encode


class _Pairs(list[tuple[str, Any]]):
    """A JSON object, in the order of its keys, with those that occur twice."""


class _Number(str):
    """A JSON number as it was spelled."""

    __slots__ = ()


def redact_line(line: bytes, covers: Callable[[str], bool] = nothing) -> str:
    """The line without personal data: valid Unicode, no NUL, at most 64 KiB of UTF-8. Never raises.

    Values under keys that `covers` names, those of encrypted props, are replaced as well.
    """
    # NULs are taken out rather than shown: between the letters of UTF-16 they would hide what has to be redacted.
    text = line.decode("utf-8", "backslashreplace").replace("\0", "")
    try:
        kept = _render(_parse(text), covers)
    except (ValueError, RecursionError):
        kept = redact_loose_text(text, covers)
    return _cut(kept.encode("utf-8", "backslashreplace"))


def _refuse(_: str) -> Any:
    raise ValueError("not JSON")


# json.loads would make a decoder for every line.
_parse: Final = json.JSONDecoder(
    object_pairs_hook=_Pairs, parse_int=_Number, parse_float=_Number, parse_constant=_refuse
).decode


def _render(value: Any, covers: Callable[[str], bool]) -> str:
    if type(value) is str:
        return _quoted(redact_text(value))
    if isinstance(value, _Number):
        return str(value)
    if isinstance(value, _Pairs):
        members = [f"{_kept_key(key)}:{_render_member(key, inner, covers)}" for key, inner in value]
        return "{" + ",".join(members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_render(item, covers) for item in value) + "]"
    return json.dumps(value)


def _render_member(key: str, value: Any, covers: Callable[[str], bool]) -> str:
    if covers(key):
        return "null" if value is None else _quoted(REDACTED)
    if is_personal(key, value):
        return _quoted(REDACTED) if hide(value) is REDACTED else json.dumps(value)
    return _render(value, covers)


def _kept_key(key: str) -> str:
    return _remembered_key(key) if len(key) <= _REMEMBERED_KEY_LENGTH else _quoted(redact_text(key))


@lru_cache(maxsize=2048)
def _remembered_key(key: str) -> str:
    return _quoted(redact_text(key))


def _quoted(text: str) -> str:
    # A NUL that was spelled \u0000 and a lone surrogate come out as such escapes again, which any text column takes.
    return _encode_text(text)


def _cut(encoded: bytes) -> str:
    if len(encoded) <= MAX_KEPT_BYTES:
        return encoded.decode()
    room = MAX_KEPT_BYTES - len(CUT_MARK.encode())
    return encoded[:room].decode("utf-8", "ignore") + CUT_MARK
