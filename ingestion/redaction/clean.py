"""The quick way past redaction: what has nothing in it that any rule could look for is clean.

Most texts are. Whatever a rule can find has to stand out here, so that both ways come to the same; tests hold them
together. To look for a fixed sequence of bytes takes 30 ns, a regular expression over the same text 500 ns (2026-11).
"""

import re
from typing import Final

from ingestion.redaction.network import AGENT_HINT


def _outline_table() -> bytes:
    """Letters as a, digits as 0, bytes beyond ASCII as ~, what may encode or assign something as @."""
    table = bytearray(b"-" * 256)
    for code in range(256):
        character = chr(code)
        if code >= 0x80:
            table[code] = ord("~")
        elif character.isalpha():
            table[code] = ord("a")
        elif character.isdigit():
            table[code] = ord("0")
        elif character in '" :./':
            table[code] = code
        elif character in "@%\\=+&[{" or code < 0x20:
            table[code] = ord("@")
    return bytes(table)


_OUTLINES: Final = _outline_table()
_ZEROS: Final = re.compile(rb"00(?<![0-9A-Za-z.,+]00)(?:[ .\-/()]|[\x80-\xff]{2,3}){0,2}[1-9][0-9 .\-/()\x80-\xff]{6}")
_NAMED: Final = re.compile(rb"(?:[lexp.]|ile|ax|ne|sms)\w{0,2}[. ]{1,3}[1-9][0-9 .\-/()\x80-\xff]{6}", re.IGNORECASE)
_IBAN_START: Final = re.compile(rb"[^a0]aa00")
_AGENT: Final = re.compile(AGENT_HINT.pattern.encode())
# Characters without width, and digits and signs that decoding folds.
_FOLDED: Final = re.compile(
    rb"\xc2\xad|\xcd\x8f|\xd8\x9c|\xe1\xa0[\x8b-\x8e]|\xe2\x80[\x8b-\x8f\xaa-\xae]|\xe2\x81[\xa0-\xaf]"
    rb"|\xd9[\xa0-\xa9]|\xdb[\xb0-\xb9]|\xe3\x80\x82|\xef|\xf3"
)
_NATIONAL: Final = re.compile(rb"0(?:[\-/. ~]{1,9}0)|[^:a0]0{7}")


def is_clean_text(encoded: bytes) -> bool:
    """Tell whether redacting JSON, whose keys are free, would change nothing. May say no when it would not."""
    outlines = encoded.translate(_OUTLINES)
    if outlines.find(b"@", 1) >= 0:
        return False
    # A colon inside a text may stand behind a key or in an address; one in a URL may not.
    inside = outlines.count(b":") - outlines.count(b'":')
    if inside and inside != outlines.count(b"a://"):
        return False
    # What many sequences share is looked for first: a look takes 0.1 to 0.3 µs (2026-11).
    # IPv4
    if outlines.count(b".") > 1 and (b".0.0" in outlines or b".00.0" in outlines or b".000.0" in outlines):
        return False
    # Payment cards
    if b"00000000000000" in outlines or b"0000.0000" in outlines or (b"0-0" in outlines and b"0000-0000" in outlines):
        return False
    if b" 0" in outlines:
        # A payment card, and a blank for the plus of a phone number.
        if b"0000 0000" in outlines or b'" 0' in outlines or b"  0" in outlines or b"- 0" in outlines:
            return False
        if (b"a 0" in outlines or b". 0" in outlines) and _NAMED.search(encoded) is not None:
            return False
    if b"a.0" in outlines and _NAMED.search(encoded) is not None:
        return False
    # Access tokens
    if (b"J" in encoded and b"eyJ" in encoded) or b"earer " in encoded:
        return False
    if _ZEROS.search(encoded) is not None:
        return False
    if b"/0" in outlines and b"a/0" in outlines and _AGENT.search(encoded) is not None:
        return False
    if b"aa00" in outlines and _IBAN_START.search(outlines) is not None:
        return False
    return b"~" not in outlines or not (b"~0" in outlines or b"0~" in outlines or _FOLDED.search(encoded) is not None)


def is_clean_national_text(encoded: bytes) -> bool:
    """Tell the same where phone numbers in the national forms of some regions count too."""
    return is_clean_text(encoded) and _NATIONAL.search(encoded.translate(_OUTLINES)) is None


def stands_out(text: str, *, has_regions: bool) -> bool:
    """Tell whether a text has to be looked at closely."""
    if '"' in text:
        return True
    encoded = f'"{text}"'.encode("utf-8", "surrogatepass")
    return not (is_clean_national_text(encoded) if has_regions else is_clean_text(encoded))
