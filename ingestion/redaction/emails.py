"""Search for e-mail addresses inside texts, and for the user and password of URLs."""

import re
from collections.abc import Iterator
from typing import Final

Span = tuple[int, int]

# A combining mark is a part of a letter; the scripts of India and Thailand write vowels with them.
_LETTER: Final = r"\w\u0300-\u036f\u0900-\u0eff"
# Linear time: a local part starts where no such character precedes it, and its quantifier is possessive.
_EMAIL: Final = re.compile(
    rf"(?:(?<![{_LETTER}.+'%!$*^~`\-])[{_LETTER}.+'%!$*^~`\-]++|\"[^\"\r\n@]{{1,64}}+\")@"
    rf"(?P<domain>\[[0-9A-Fa-f:.IPv]{{3,50}}\]|[{_LETTER}\-]++(?:\.[{_LETTER}\-]++)++)"
)
_TOP_LEVEL: Final = re.compile(rf"(?![0-9_])[{_LETTER}][{_LETTER}\-]+")
_NUMBER: Final = re.compile(r"[0-9]{1,3}")
# Images for screens of twice the density: logo@2x.png.
_DENSITY: Final = re.compile(r"[1-9]x\.(?:png|jpe?g|gif|webp|svg|avif)", re.IGNORECASE)
_USER_INFO: Final = re.compile(
    r"(?<![/\\])//(?P<user>[^\s/?#\"'<>\\]{0,512}@|[^\s/?#@\"'<>\\]{1,256}:(?![0-9]{1,5}(?:[/?#]|$))[^\s@\"'<>]{0,256}@)"
)


def find_emails(text: str) -> Iterator[Span]:
    """Find the e-mail addresses of a text, without the punctuation behind them."""
    if "@" not in text:
        return
    for match in _EMAIL.finditer(text):
        end = _end(match)
        if end:
            yield _start(match), end


def find_user_info(text: str) -> Iterator[Span]:
    """Find `user:password@` in the URLs of a text, with its at sign."""
    if "//" in text and "@" in text:
        for match in _USER_INFO.finditer(text):
            yield match.span("user")


def _start(match: re.Match[str]) -> int:
    # A quote or dash before an address belongs to the sentence.
    return match.start() + len(match[0]) - len(match[0].lstrip("'-.*~^`!"))


def _end(match: re.Match[str]) -> int:
    """Return the end of the address, 0 when the match is none."""
    domain = match["domain"]
    if domain.startswith("["):
        return match.end()
    if _DENSITY.fullmatch(domain):
        return 0
    labels = domain.split(".")
    if len(labels) == 4 and all(map(_NUMBER.fullmatch, labels)):
        return match.end()
    # A last label that is no top-level domain belongs to the sentence: name@host.example.2nd, or a dash behind it.
    while len(labels) > 1:
        label = labels[-1].rstrip("-_")
        if _TOP_LEVEL.fullmatch(label):
            return match.start("domain") + len(".".join(labels)) - (len(labels[-1]) - len(label))
        labels.pop()
    return 0
