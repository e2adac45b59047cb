"""The one normal form of UTM fields: equal names that were typed differently become the same text.

Events, ad spend files and the channel seeds pass through the same functions, so that their names meet. The form is
stored beside the text as it was sent, and models read only the form.
"""

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from ingestion.redaction import redact_text

# Redacts a text; a load has one of its own.
Redact = Callable[[str], str]

# As many characters as a UTM field may have as sent; NFKC makes up to 18 characters of one (U+FDFA). An entry of a
# Postgres index holds 2,704 bytes, among them source, medium and campaign together: a form has at most 512 bytes of
# UTF-8. What is longer is cut, so that no index on the names of a visit ever refuses a row.
MAX_NORMALIZED_LENGTH: Final = 255
MAX_NORMALIZED_BYTES: Final = 512
# Two rounds are enough for every single character of Unicode 14 (2026-11-28). Trimming and cutting may each ask for one
# more.
_MAX_ROUNDS: Final = 8

# Characters that take no place on the screen, beside blanks and controls: soft hyphen, combining grapheme joiner,
# fillers of Arabic, Hangul and Mongolian, zero-width blanks and joiners, direction marks, invisible operators, the
# empty Braille pattern, variation selectors, the byte order mark.
_INVISIBLE: Final = (
    r"\u00ad\u034f\u061c\u115f\u1160\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f"
    r"\ufeff\uffa0"
)
_BLANK: Final = re.compile(rf"[\s\x00-\x1f\x7f-\x9f{_INVISIBLE}]")
# All of them are in the first plane of Unicode.
_BLANKS: Final = "".join(character for character in map(chr, range(0x1_0000)) if _BLANK.match(character))

# At least two labels with dots between them. A label has letters of any script, also with combining marks, and of ASCII
# only letters, digits, - and _.
_HOST: Final = re.compile(r"(?:[\w-]|[^\x00-\x7f\s])++(?:\.(?:[\w-]|[^\x00-\x7f\s])++)++\.?")


def trimmed(text: str) -> str:
    """Return the text without Unicode blanks, controls and zero-width characters at its ends."""
    return text.strip(_BLANKS)


def normalized_name(text: str | None, redact: Redact = redact_text) -> str | None:
    """Return the normal form of a UTM medium or campaign, None where nothing is left of it.

    Blanks and zero-width characters at the ends go, NFKC replaces characters that stand for others (`ﬁ`, full-width
    letters, a no-break space), and letter case goes by Unicode's case folding. The form of a form is the form itself.
    """
    return None if text is None else _name(text, redact)


def normalized_source(text: str | None, redact: Redact = redact_text) -> str | None:
    """Return the normal form of a UTM source: that of a name, and a host is known without `www.` and `m.`."""
    return None if text is None else _source(text, redact)


def normalized_detail(text: str | None, redact: Redact = redact_text) -> str | None:
    """Return a UTM term or content trimmed and in NFKC, in its own letter case; None where nothing is left of it."""
    return None if text is None else _detail(text, redact)


def site_name(host: str) -> str:
    """Return a host without the labels `www` and `m` at its start, and without a dot at its end.

    Two labels have to be left behind `m.`, so that `m.me` stays what it is.
    """
    name = host.removesuffix(".")
    while True:
        rest = name.removeprefix("www.")
        if rest.startswith("m.") and "." in rest[2:]:
            rest = rest[2:]
        if rest == name or not rest:
            return name
        name = rest


# Few texts come again and again.
@lru_cache(maxsize=8_192)
def _name(text: str, redact: Redact) -> str | None:
    return _stored(text, _folded, redact)


@lru_cache(maxsize=8_192)
def _source(text: str, redact: Redact) -> str | None:
    return _stored(text, lambda name: _site(_folded(name)), redact)


@lru_cache(maxsize=8_192)
def _detail(text: str, redact: Redact) -> str | None:
    return _stored(text, lambda name: unicodedata.normalize("NFKC", name), redact)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def _site(name: str) -> str:
    return site_name(name) if _HOST.fullmatch(name) else name


def _stored(text: str, form: Callable[[str], str], redact: Redact) -> str | None:
    """Apply the form until it changes nothing, and redact what only the form shows, such as a full-width address."""
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
