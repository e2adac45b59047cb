"""Search for phone numbers inside texts, by the numbering plans of all countries (library phonenumbers).

The international form always counts: after a plus, after `00`, or where a plus was decoded as a blank. National forms
count for the regions of the settings. Dates, ranges and decimal numbers are no phone numbers, whatever a plan allows.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

Span = tuple[int, int]

# A form's plus is a blank: +49+30+123456.
_SEPARATOR: Final = r"[ +.\-/()\u00a0\u2007\u2010-\u2015\u202f]"
_DIGITS: Final = rf"[1-9](?:{_SEPARATOR}{{0,4}}[0-9]){{6,17}}(?![0-9])"
_INTERNATIONAL: Final = re.compile(
    rf"(?<![0-9])(?P<plus>\+{_SEPARATOR}{{0,2}}{_DIGITS})"
    rf"|(?<![\w.,+])(?<!\w-)(?P<zeros>00{_SEPARATOR}{{0,2}}{_DIGITS})"
    # A form decodes the plus to a blank: at the start of a value, or beside another blank.
    rf"|(?:^|(?<=[=(\"'>\s]))(?P<blank>[ \u00a0]{_DIGITS})"
    rf"|(?:call|phone|tel|mobile|cell|whatsapp|sms|fax)\w{{0,2}}[.: ]{{1,3}}(?P<named>{_DIGITS})",
    re.IGNORECASE,
)
_NATIONAL: Final = re.compile(
    rf"(?<![\w.,+:/\-])\(?(?P<national>[0-9](?:{_SEPARATOR}{{0,3}}[0-9]){{6,14}})(?![\w:]|[.\-][0-9])"
)
_DATE: Final = re.compile(
    r"(?:19|20)[0-9]{2}[-/. ][0-9]{1,2}[-/. ][0-9]{1,2}(?![0-9])"
    r"|[0-9]{1,2}[-/. ][0-9]{1,2}[-/. ](?:19|20)[0-9]{2}(?![0-9])"
    r"|(?:19|20)[0-9]{2} ?[-/] ?(?:19|20)[0-9]{2}(?![0-9])"
)
# A coordinate has four to eight decimals, +52.520008 13.404954, and a price has two.
_DECIMAL: Final = re.compile(r"[0-9]{1,3}\.[0-9]{4,8}(?![0-9]|\.[0-9])|[0-9 ]{1,14}\.[0-9]{1,2}$")
# A number has at least two adjacent digits, in any grouping.
_RUN: Final = re.compile(rf"[0-9]{{2}}(?:{_SEPARATOR}*+[0-9]){{5}}")
_GROUP: Final = re.compile(r"[0-9]+")
# A possible number that no plan lists, such as +1 555 123 4567, counts only behind one of these characters.
_OPENERS: Final = frozenset(" \t\n\r\"'([{<>=:,;|*_\u201c\u201e\u00ab\u2018")
_MIN_POSSIBLE_DIGITS: Final = 10
_MIN_DIGITS: Final = 7


def find_phones(text: str, regions: frozenset[str] = frozenset()) -> Iterator[Span]:
    """Find the phone numbers of a text. National forms count for the given regions, such as DE."""
    position = 0
    while match := _INTERNATIONAL.search(text, position):
        form = str(match.lastgroup)
        start = match.start(form)
        # The digits of the number follow the plus or the zeros.
        first = start + (0 if form == "named" else 2 if form == "zeros" else 1)
        candidate = text[first : match.end()].lstrip(" +.-/()\u00a0\u2007\u202f")
        first = match.end() - len(candidate)
        # Only a plus may separate two numbers, so the next search starts inside this candidate.
        position = start + 1
        if _DATE.match(candidate) or _DECIMAL.match(candidate) or (form != "plus" and not _RUN.search(candidate)):
            continue
        is_glued = form == "plus" and first == start + 1 and (start == 0 or text[start - 1] in _OPENERS)
        if size := _international_length(candidate, is_glued):
            yield start if form != "blank" else first, first + size
            position = first + size
    if regions:
        for match in _NATIONAL.finditer(text):
            candidate = match["national"]
            if not _DATE.match(candidate) and _is_national(candidate, regions):
                yield match.span()


def international_number(text: str) -> str | None:
    """Return a text that is a phone number in its international form as +<digits>, any other as None."""
    text = text.strip()
    spans = list(find_phones(text))
    start, end = spans[0] if len(spans) == 1 else (0, 0)
    if end != len(text) or start not in (0, text.find(":") + 1):
        return None
    digits = "".join(_GROUP.findall(text[start:]))
    return _canonical(digits.removeprefix("00"))


def _international_length(candidate: str, is_glued: bool) -> int:
    """Return the length of the number at the start of the candidate, 0 when there is none. A date may follow it."""
    groups = [match.end() for match in _GROUP.finditer(candidate)]
    for end in reversed(groups):
        digits = "".join(_GROUP.findall(candidate[:end]))
        if len(digits) < _MIN_DIGITS:
            break
        if _is_valid(digits):
            return end
    digits = "".join(_GROUP.findall(candidate))
    return groups[-1] if is_glued and len(digits) >= _MIN_POSSIBLE_DIGITS and _is_possible(digits) else 0


@lru_cache(maxsize=4_096)
def _is_valid(digits: str) -> bool:
    import phonenumbers

    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(f"+{digits}"))
    except phonenumbers.NumberParseException:
        return False


@lru_cache(maxsize=1_024)
def _is_possible(digits: str) -> bool:
    import phonenumbers

    try:
        reason = phonenumbers.is_possible_number_with_reason(phonenumbers.parse(f"+{digits}"))
    except phonenumbers.NumberParseException:
        return False
    return reason == phonenumbers.ValidationResult.IS_POSSIBLE


@lru_cache(maxsize=1_024)
def _canonical(digits: str) -> str:
    import phonenumbers

    try:
        number = phonenumbers.parse(f"+{digits}")
    except phonenumbers.NumberParseException:
        return f"+{digits}"
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


@lru_cache(maxsize=4_096)
def _is_national(candidate: str, regions: frozenset[str]) -> bool:
    import phonenumbers

    digits = _GROUP.findall(candidate)
    for region in sorted(regions):
        try:
            number = phonenumbers.parse(candidate, region)
        except phonenumbers.NumberParseException:
            continue
        if not phonenumbers.is_valid_number_for_region(number, region):
            continue
        # A number without the trunk prefix of its country could be any number, unless it is grouped as one.
        prefix = _trunk_prefix(region)
        if prefix == "0" and "".join(digits).startswith(prefix):
            return True
        national = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
        expected = _GROUP.findall(national)
        if len(digits) > 1 and expected in (digits, digits[1:] if digits[0] == prefix else digits):
            return True
    return False


@lru_cache(maxsize=256)
def _trunk_prefix(region: str) -> str | None:
    import phonenumbers

    metadata = phonenumbers.PhoneMetadata.metadata_for_region(region)
    return None if metadata is None else metadata.national_prefix
