"""Search for personal values behind keys inside a text: URL parameters, embedded JSON, headers, settings.

The value of a parameter is redacted whole. `;` begins a parameter and does not end one, since a secret may hold it.
"""

import re
from collections.abc import Callable, Iterator
from typing import Final

from ingestion.redaction.decoding import decode_fully
from ingestion.redaction.keys import PersonalKeys

Span = tuple[int, int]

_PARAMETER: Final = re.compile(
    r"[?&;#](?P<name>(?:[\w.\-\[\]]|%[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|&\#?\w{1,8};){1,64}+)="
)
# A quote ends a value where the text around it goes on, as JSON and HTML do.
_PARAMETER_VALUE: Final = re.compile(r"(?:[^&#\s\"'<>]|[\"'](?!\s*[,;:}\])>]|\s|$))+")
_PARAMETER_START: Final = re.compile(r"[^&#\s\"'<>;]{1,64}")
# A key, in quotes or not, up to its value. A quoted key may hold blanks and escapes.
_KEY: Final = re.compile(
    r"(?<![\w\-])(?P<bare>[^\W\d][\w.\-]{0,63}+)(?:\\?[\"'\]]){0,2}\s{0,8}+(?P<sign>=>|:=|[:=])(?P<blank>\s{0,8}+)"
    r"|(?P<quote>[\"'])(?P<quoted>(?:[^\\\"':=]|\\u[0-9A-Fa-f]{4}){1,64}+)(?P=quote)\s{0,8}+:\s{0,8}+"
)
# A value, whole or cut off.
_QUOTED_VALUE: Final = re.compile(
    r"\\\"(?:[^\"\\]|\\[^\"])*+(?:\\\")?|\"(?:[^\"\\]|\\.)*+\"?|'(?:[^'\\]|\\.)*+'?", re.DOTALL
)
_BARE_VALUE: Final = re.compile(r"[^\s,;&}\]]++")
_ASSIGNED_VALUE: Final = re.compile(r"[^\s&#\"'<>}\]]++")
_MARK: Final = re.compile(r"\"(?:[^\"\\]|\\.)*+\"?|'(?:[^'\\]|\\.)*+'?|[\[\]{}]", re.DOTALL)
# Two words: Authorization: Bearer abc.
_SCHEME: Final = re.compile(r"(?:Bearer|Basic|Digest|Token|Negotiate)\s{1,4}", re.IGNORECASE)
_LIKE_CONTACT: Final = re.compile(r"[0-9@+=]")
# Cookie: a=b; c=d
_COOKIES: Final = re.compile(r"[^\s;,=\"']{1,256}=[^\s;]*+(?:; ?[^\s;,=\"']{1,256}=[^\s;]*+)*+")
# JSON Web Tokens and bearer tokens are recognised without a key.
_TOKEN: Final = re.compile(
    r"(?<![\w\-])eyJ[\w\-]{8,}+(?:\.[\w\-]{4,}+){1,4}"
    r"|(?<=[Bb]earer )[A-Za-z0-9._~+/\-]{16,}+=*"
)


def find_parameters(text: str, keys: PersonalKeys, is_encrypted_key: Callable[[str], bool]) -> Iterator[Span]:
    """Find the values of personal URL parameters, nested ones too."""
    if "=" not in text:
        return
    position = 0
    # The search goes on behind a redacted value: searching inside it again would take quadratic time.
    while match := _PARAMETER.search(text, position):
        position = match.end()
        name = match["name"]
        if "%" in name or "\\" in name or "&" in name:
            name = decode_fully(name)
        start = _PARAMETER_START.match(text, position)
        if not is_encrypted_key(name) and keys.action_for_parameter(name, start[0] if start else "") == "keep":
            continue
        value = _PARAMETER_VALUE.match(text, position)
        if value is not None:
            yield value.span()
            position = value.end()


def find_values(text: str, keys: PersonalKeys, is_encrypted_key: Callable[[str], bool]) -> Iterator[Span]:
    """Find the values behind personal keys, including whole objects and lists."""
    if ":" not in text and "=" not in text:
        return
    position = 0
    for match in _KEY.finditer(text):
        start = match.end()
        if match.start() < position:
            continue
        key = match["bare"] or decode_fully(match["quoted"])
        kind = keys.kind(key)
        if kind == "harmless" and not is_encrypted_key(key):
            continue
        cookies = _COOKIES.match(text, start) if key.lower().endswith("cookie") else None
        end = cookies.end() if cookies else _value_end(text, start, is_assigned=match["sign"] == "=")
        if end == start:
            continue
        value = text[start:end][:64]
        if not is_encrypted_key(key):
            if keys.action_for(key, value.strip("\\\"'").rstrip(").,;:!?]}\\\"'")) == "keep":
                continue
            is_prose = kind == "contact" and match["sign"] == ":" and bool(match["blank"])
            if is_prose and not _LIKE_CONTACT.search(value) and value[0] not in "\"'\\{[" and text[start - 2] != '"':
                continue
        yield start, end
        position = end


def find_tokens(text: str) -> Iterator[Span]:
    """Find access tokens by their form: JSON Web Tokens, and the word after `Bearer`."""
    if "eyJ" in text or "earer " in text:
        for match in _TOKEN.finditer(text):
            yield match.span()


def _value_end(text: str, start: int, *, is_assigned: bool) -> int:
    if text[start : start + 1] not in ("{", "["):
        quoted = _QUOTED_VALUE.match(text, start)
        if quoted is not None:
            return quoted.end()
        scheme = _SCHEME.match(text, start)
        value = (_ASSIGNED_VALUE if is_assigned else _BARE_VALUE).match(text, start if scheme is None else scheme.end())
        return start if value is None else value.end()
    depth = 0
    for mark in _MARK.finditer(text, start):
        depth += (mark[0] in "{[") - (mark[0] in "}]")
        if depth == 0:
            return mark.end()
    return len(text)
