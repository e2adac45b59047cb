"""Fast path of redaction: a cheap test that proves most texts free of personal data.

The test may call a clean text suspect, and never a personal one clean; tests hold it to the full rules. A text becomes
its outline: one byte for each class of characters. A pattern that begins with a fixed byte skips everything else. The
two below take 300 ns for 150 bytes; the exact pattern, which begins with a set of bytes, takes 2,500 ns (2026-11). It
runs only where one of the two matches.
"""

import re
from typing import Final


def _outline_table(*, nonzero: str, zero: str, opening: str) -> bytes:
    """Return a translation table: letters to a, bytes beyond ASCII to ~, signs of encoding and assignment to @."""
    table = bytearray(b"-" * 256)
    for code in range(256):
        character = chr(code)
        if code >= 0x80:
            character = "~"
        elif character.isalpha():
            character = "a"
        elif character.isdigit():
            character = zero if character == "0" else nonzero
        elif character == "(":
            character = opening
        elif character in "@%\\=+&[{" or code < 0x20:
            character = "@"
        elif character not in '",: ./':
            continue
        table[code] = ord(character)
    return bytes(table)


_OUTLINES: Final = _outline_table(nonzero="0", zero="0", opening="@")
# Phone and card numbers and IBANs: two digits, and five more or what stands between those.
_has_number: Final = re.compile(rb"00[-. ~/0]{5}").search
# IPv4, or the version of a program.
_has_dots: Final = re.compile(rb"\.0(?:0{0,2}\.0|(?<=/0.0)|(?<=/00.0)|(?<=/000.0))").search

_CLOSE_OUTLINES: Final = _outline_table(nonzero="9", zero="z", opening="(")
_CLOSELY: Final = re.compile(
    rb"[z9](?:"
    # IPv4
    rb"\.[z9]{1,3}\.[z9]"
    # Payment cards, and grouped ones
    rb"|[z9]{13}|[z9]{3}[-. ~/]{1,3}[z9]{4}"
    # Zeros, or a blank, for the plus of a phone number, or a word before it
    rb"|(?<=[^az9.,]z)z[-. ~/(]{0,6}9(?:[-. ~/(]{0,12}[z9]){6}"
    rb"|(?<=[^az9., ] .)(?:[-. ~/(]{0,12}[z9]){6}"
    rb"|(?<=  .)(?:[-. ~/(]{0,12}[z9]){6}"
    rb"|(?<=[a.][ .].)(?:[-. ~/(]{0,12}[z9]){6}"
    # User agents
    rb"|(?<=a/.)[z9]*+(?:\.| ?\()"
    # IBANs
    rb"|(?<=[^az9]aa.)[z9](?:[- ~]{0,3}[az9]){11}"
    rb")"
)
# Beyond ASCII: next to a digit, characters without width, and digits and signs that decoding folds.
_BEYOND_ASCII: Final = re.compile(
    rb"[0-9][\x80-\xff]|[\x80-\xff][0-9]"
    rb"|\xc2\xad|\xcd\x8f|\xd8\x9c|\xe1\xa0[\x8b-\x8e]|\xe2\x80[\x8b-\x8f\xa4\xaa-\xae]|\xe2\x81[\xa0-\xaf]"
    rb"|\xd9[\xa0-\xa9]|\xdb[\xb0-\xb9]|\xe3\x80\x82|\xef|\xf3"
)
_NATIONAL: Final = re.compile(rb"0(?:[-/. ~@]{1,9}0|(?<=[^:a0].)0{6})")
_AT, _PARENTHESIS, _J = b"@(J"


def is_clean_text(encoded: bytes, keys: int) -> bool:
    """Return True if JSON certainly holds no personal data; may return False for a clean one.

    It is in UTF-8, and has so many keys, all of them harmless.
    """
    outlines = encoded.translate(_OUTLINES)
    # An object begins with a brace. Searching for a byte by its number takes a third of the time of a bytes object.
    if _AT in outlines[1:]:
        # Parentheses are much more common than the other signs of this class.
        if _PARENTHESIS not in encoded or not _is_clean_closely(encoded):
            return False
    elif (_has_number(outlines) or _has_dots(outlines)) and not _is_clean_closely(encoded):
        return False
    # A colon inside a text may follow a key or be part of an IP address; the colon of a URL is harmless.
    colons = outlines.count(b":")
    if colons != keys and colons != keys + encoded.count(b"://"):
        return False
    # Access tokens
    if encoded.find(b"earer ") >= 0 or (_J in encoded and encoded.find(b"eyJ") >= 0):
        return False
    return encoded.isascii() or _BEYOND_ASCII.search(encoded) is None


def _is_clean_closely(encoded: bytes) -> bool:
    outlines = encoded.translate(_CLOSE_OUTLINES)
    return outlines.find(b"@", 1) < 0 and _CLOSELY.search(outlines) is None


def is_clean_national_text(encoded: bytes, keys: int) -> bool:
    """Return is_clean_text, where phone numbers in national forms count too."""
    return is_clean_text(encoded, keys) and _NATIONAL.search(encoded.translate(_OUTLINES)) is None


def may_hold_personal_data(text: str, *, has_regions: bool) -> bool:
    """Return whether the full rules have to search a text."""
    if '"' in text:
        return True
    encoded = f'"{text}"'.encode("utf-8", "surrogatepass")
    return not (is_clean_national_text(encoded, 0) if has_regions else is_clean_text(encoded, 0))
