"""Search for payment card numbers and IBANs inside texts.

A card number has the prefix and length of an issuer, and a valid check digit (Luhn). One id of 16 digits in forty has
all three by chance. So ungrouped digits stay where a text or key marks them as an id.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

Span = tuple[int, int]

_CARD: Final = re.compile(
    r"(?<![0-9A-Za-z.,_])(?<![0-9A-Za-z]-)(?:(?P<run>[2-6][0-9]{13,18})(?:\.0{1,6})?"
    r"|[2-6][0-9]{3}(?P<separator>[ \u00a0\u202f\-\u2010-\u2013.])"
    r"(?:[0-9]{4}(?P=separator)[0-9]{4}(?P=separator)[0-9]{4}(?:(?P=separator)[0-9]{3})?"
    r"|[0-9]{6}(?P=separator)[0-9]{4,5}))"
    r"(?![0-9A-Za-z_]|[\-.][0-9A-Za-z])"
)
# Issuers by prefix, with the lengths of the numbers that they issue (2026-11). Visa's 13 digits ended long ago.
_ISSUERS: Final = (
    (re.compile(r"4"), frozenset({16})),  # Visa
    (re.compile(r"5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720"), frozenset({16})),  # Mastercard
    (re.compile(r"3[47]"), frozenset({15})),  # American Express
    (re.compile(r"30[0-5]|36|38|39"), frozenset({14})),  # Diners Club
    (re.compile(r"6011|64[4-9]|65"), frozenset({16})),  # Discover
    (re.compile(r"352[89]|35[3-8]"), frozenset({16})),  # JCB
    (re.compile(r"62"), frozenset({16, 19})),  # UnionPay
    (re.compile(r"6304|6759|676[1-3]"), frozenset({16, 18, 19})),  # Maestro
    (re.compile(r"220[0-4]"), frozenset({16})),  # Mir
)
CARD_LENGTHS: Final = range(14, 20)
_ID_BEFORE: Final = re.compile(
    r"(?:id|ids|sku|ean|gtin|isbn|upc|ts|ms|timestamp|campaign|adgroup|ad|trace|span|seq)"
    r"[\"']?[ \t]{0,2}[:=#\-]?[ \t]{0,2}[\"'#]?$",
    re.IGNORECASE,
)
_CONTEXT_LENGTH: Final = 24
_IBAN: Final = re.compile(r"(?<![0-9A-Za-z])[A-Za-z]{2}[0-9]{2}(?:[ \-\u00a0\u202f]?[0-9A-Za-z]){11,30}")
# Every country's IBANs have so many digits in a row.
_RUN: Final = re.compile(r"[0-9]{2}(?:[ \-\u00a0\u202f]?[0-9]){5}")
_IBAN_LENGTHS: Final = (15, 34)


def find_cards(text: str, *, is_id: bool = False) -> Iterator[Span]:
    """Find the payment card numbers of a text. In an id only grouped digits count."""
    for match in _CARD.finditer(text):
        digits = match["run"] or re.sub(r"[^0-9]", "", match[0])
        if not is_card_number(digits):
            continue
        before = text[max(0, match.start() - _CONTEXT_LENGTH) : match.start()]
        if match["run"] and (is_id or _ID_BEFORE.search(before) is not None):
            continue
        yield match.span()


def find_ibans(text: str) -> Iterator[Span]:
    """Find the IBANs of a text, in groups or not, in any letter case."""
    position = 0
    while match := _IBAN.search(text, position):
        size = _iban_length(match[0]) if _RUN.search(match[0]) else 0
        if size:
            yield match.start(), match.start() + size
        position = match.start() + (size or 1)


def whole_digits(number: str) -> str:
    """Return a JSON number in plain digits if it is whole, else unchanged."""
    # A column of whole numbers with gaps arrives as floating-point numbers, 4000002760003184.0.
    if "." not in number and "e" not in number and "E" not in number:
        return number
    value = float(number)
    return str(int(value)) if value.is_integer() else number


@lru_cache(maxsize=4_096)
def is_card_number(digits: str) -> bool:
    """Return whether digits have the prefix, length and check digit of a payment card number."""
    if not any(len(digits) in lengths and prefix.match(digits) for prefix, lengths in _ISSUERS):
        return False
    from stdnum import luhn

    return luhn.is_valid(digits)


@lru_cache(maxsize=1_024)
def _iban_length(candidate: str) -> int:
    """Return the length of the IBAN at the start of the candidate, 0 when there is none. A word may follow it."""
    from stdnum import iban

    characters = [place for place, character in enumerate(candidate) if character.isalnum()]
    shortest, longest = _IBAN_LENGTHS
    for size in range(min(longest, len(characters)), shortest - 1, -1):
        end = characters[size - 1] + 1
        # An IBAN never ends inside a word.
        if candidate[end : end + 1].isalnum():
            continue
        if iban.is_valid("".join(candidate[place] for place in characters[:size]), check_country=False):
            return end
    return 0
