"""Normalisation of UTM fields: equal names in different writing become one text.

Events, ad spend files and channel seeds use these functions, so that models can join them. The normal form is stored
beside the text as sent, and models read only the normal form.
"""

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from ingestion.redaction import redact_text

# Function that redacts a text by the rules of a load.
Redact = Callable[[str], str]

# A UTM field has at most 255 characters as sent, and NFKC makes up to 18 characters of one (U+FDFA). An index entry of
# Postgres holds 2,704 bytes for source, medium and campaign together, so a normal form has at most 512 bytes of UTF-8.
# A longer form is cut, so that every row fits the indexes on the names of a visit.
MAX_NORMALIZED_LENGTH: Final = 255
MAX_NORMALIZED_BYTES: Final = 512
# Two rounds suffice for every single character of Unicode 14 (2026-11-28). Trimming and cutting may each need one more.
_MAX_ROUNDS: Final = 8

# Invisible characters beside blanks and controls: soft hyphen, combining grapheme joiner, fillers of Arabic, Hangul and
# Mongolian, zero-width blanks and joiners, direction marks, invisible operators, the empty Braille pattern, variation
# selectors, the byte order mark.
_INVISIBLE: Final = (
    r"\u00ad\u034f\u061c\u115f\u1160\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f"
    r"\ufeff\uffa0"
)
_BLANK: Final = re.compile(rf"[\s\x00-\x1f\x7f-\x9f{_INVISIBLE}]")
# All of these characters are in the first plane of Unicode.
_BLANKS: Final = "".join(character for character in map(chr, range(0x1_0000)) if _BLANK.match(character))

# At least two labels with dots between them. A label has letters of any script, also with combining marks; of ASCII it
# has only letters, digits, - and _.
_HOST: Final = re.compile(r"(?:[\w-]|[^\x00-\x7f\s])++(?:\.(?:[\w-]|[^\x00-\x7f\s])++)++\.?")


def trimmed(text: str) -> str:
    """Return the text without Unicode blanks, controls and zero-width characters at its ends."""
    return text.strip(_BLANKS)


def normalized_name(text: str | None, redact: Redact = redact_text) -> str | None:
    """Return the normal form of a UTM medium or campaign, None where it is empty.

    Blanks and zero-width characters at the ends are removed. NFKC replaces compatibility characters (`ﬁ`, full-width
    letters, a no-break space), and Unicode's case folding removes letter case. A normal form is its own normal form.
    """
    return None if text is None else _stored(text, _folded, redact)


def normalized_source(text: str | None, redact: Redact = redact_text) -> str | None:
    """Return the normal form of a UTM source: that of a name, and a host without `www.` and `m.`."""
    return None if text is None else _stored(text, _site, redact)


def normalized_detail(text: str | None, redact: Redact = redact_text) -> str | None:
    """Return a UTM term or content trimmed and in NFKC, with its letter case; None where it is empty."""
    return None if text is None else _stored(text, _composed, redact)


def site_name(host: str) -> str:
    """Return a host without the labels `www` and `m` at its start, and without a dot at its end.

    `m` is removed only before two labels, so that `m.me` stays unchanged.
    """
    name = host.removesuffix(".")
    while True:
        rest = name.removeprefix("www.")
        if rest.startswith("m.") and "." in rest[2:]:
            rest = rest[2:]
        if rest == name or not rest:
            return name
        name = rest


def _composed(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


def _folded(text: str) -> str:
    return _composed(_composed(text).casefold())


def _site(text: str) -> str:
    name = _folded(text)
    return site_name(name) if _HOST.fullmatch(name) else name


# A load has few distinct texts, and many repetitions of them.
@lru_cache(maxsize=24_576)
def _stored(text: str, form: Callable[[str], str], redact: Redact) -> str | None:
    """Apply a form until the text is stable, and redact data that only the form shows, such as a full-width address."""
    for _ in range(_MAX_ROUNDS):
        before = text
        text = trimmed(_cut(form(redact(trimmed(text)))))
        if text == before:
            break
    return text or None


def _cut(text: str) -> str:
    text = text[:MAX_NORMALIZED_LENGTH]
    # A character has at most four bytes.
    if len(text) * 4 <= MAX_NORMALIZED_BYTES:
        return text
    return text.encode()[:MAX_NORMALIZED_BYTES].decode(errors="ignore")
