"""The one place where rules for personal data come together: texts, JSON values, and the quick way past both.

A text is judged at every level of its encoding (decoding.py); what any level shows to be personal is replaced in the
source. Redacting twice is redacting once. Every pattern runs in linear time: quantifiers are bounded or possessive.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any, Final, Protocol

from ingestion.event_rules import EventRules, default_rules
from ingestion.redaction.accounts import CARD_LENGTHS, find_cards, find_ibans, is_card_number, whole_digits
from ingestion.redaction.assignments import find_parameters, find_tokens, find_values
from ingestion.redaction.decoding import Level, Span, levels
from ingestion.redaction.emails import find_emails, find_user_info
from ingestion.redaction.keys import PersonalKey, PersonalKeys
from ingestion.redaction.marker import REDACTED
from ingestion.redaction.network import find_addresses, find_agents
from ingestion.redaction.phones import find_phones
from ingestion.redaction.prefilter import is_clean_national_text, is_clean_text, stands_out

# Replacing brings other characters together; a second round nearly always finds nothing.
_MAX_ROUNDS: Final = 4
_MAX_REMEMBERED: Final = 512
_MAX_VERSION_LENGTH: Final = 20


class Sealer(Protocol):
    """Encrypts the values of the props that are named for it."""

    def covers(self, key: str) -> bool: ...
    def seal(self, key: str, value: Any) -> Any: ...


def nothing(_: str) -> bool:
    """Cover no key: the rule where no props are named."""
    return False


class Redactor:
    """Redaction by the rules of a load. Keeps no data but a bounded memory of keys and short texts."""

    def __init__(self, rules: EventRules) -> None:
        self.keys = PersonalKeys(PersonalKey.parse(*row) for row in rules.personal_keys)
        self._regions = rules.phone_regions
        self.short_text = lru_cache(maxsize=8_192)(self._redact)
        self.is_clean_text = is_clean_national_text if rules.phone_regions else is_clean_text

    def text(self, text: str, *, key: str = "", covers: Callable[[str], bool] = nothing) -> str:
        """Replace what is personal in a text. `key` is the one that it stands under; values of covered keys go too."""
        key = key if key and (_is_id(key) or _is_version(key)) else ""
        if not key and covers is nothing and len(text) <= _MAX_REMEMBERED:
            return self.short_text(text)
        return self._redact(text, key, covers)

    def value(self, value: Any, sealer: Sealer | None = None, *, key: str = "") -> Any:
        """Return a JSON value without personal data: dropped keys are gone, the rest is replaced or sealed."""
        if isinstance(value, str):
            return self.text(value, key=key)
        if isinstance(value, list):
            return [self.value(item, sealer, key=key) for item in value]
        if isinstance(value, dict):
            return self._mapping(value, sealer)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if is_number and self.hides_number(str(value), key):
            return REDACTED
        return value

    def hides_number(self, number: str, key: str = "") -> bool:
        """Tell whether a number of JSON is a payment card's, unless its key says that it is an id."""
        digits = whole_digits(number)
        return len(digits) in CARD_LENGTHS and is_card_number(digits) and not _is_id(key)

    def is_free(self, keys: Iterable[str]) -> bool:
        """Tell whether no key says that its value may be personal."""
        return all(self.keys.kind(key) == "free" for key in keys)

    def is_clean(self, props: dict[str, Any], encoded: bytes) -> bool:
        """Tell whether redacting these props, whose JSON is `encoded`, would change nothing; no is no promise."""
        return self.is_free(props) and self.is_clean_text(encoded, len(props))

    def _mapping(self, mapping: dict[str, Any], sealer: Sealer | None) -> dict[str, Any]:
        redacted: dict[str, Any] = {}
        for key, inner in mapping.items():
            action = self.keys.judge(key, inner)
            if action == "drop":
                continue
            if sealer is not None and sealer.covers(key):
                redacted[self.text(key)] = sealer.seal(key, inner)
            elif action == "hide":
                redacted[self.text(key)] = hide(inner)
            else:
                redacted[self.text(key)] = self.value(inner, sealer, key=key)
        return redacted

    def _redact(self, text: str, key: str = "", covers: Callable[[str], bool] = nothing) -> str:
        if not stands_out(text, has_regions=bool(self._regions)):
            return text
        for _ in range(_MAX_ROUNDS):
            read = list(levels(text))
            spans = [level.source(found) for level in read for found in find_user_info(level.text)]
            if spans:
                text = _replaced(text, spans, "")
                read = list(levels(text))
            spans = self._spans(read, key, covers)
            redacted = _replaced(text, spans, REDACTED)
            if redacted == text:
                break
            text = redacted
        return text

    def _spans(self, read: list[Level], key: str, covers: Callable[[str], bool]) -> list[Span]:
        spans: list[Span] = []
        is_id, is_version = _is_id(key), _is_version(key)
        for level in read:
            plain = level.text
            # A plus may be one, as in an address, or a form's blank: both readings count.
            for reading in (plain, plain.replace("+", " ")) if "+" in plain else (plain,):
                found = self._found(reading, covers, is_id=is_id, is_version=is_version)
                spans.extend(map(level.source, found))
        return spans

    def _found(self, text: str, covers: Callable[[str], bool], *, is_id: bool, is_version: bool) -> Iterator[Span]:
        yield from find_parameters(text, self.keys, covers)
        yield from find_values(text, self.keys, covers)
        yield from find_tokens(text)
        yield from find_emails(text)
        yield from find_agents(text)
        # A version of four numbers, under a key that says so, looks like an address.
        if not (is_version and len(text) <= _MAX_VERSION_LENGTH):
            yield from find_addresses(text)
        yield from find_phones(text, self._regions)
        yield from find_cards(text, is_id=is_id)
        yield from find_ibans(text)


def hide(value: Any) -> Any:
    """Return `[redacted]` in place of a value; null, true and false stay."""
    return value if value is None or isinstance(value, bool) else REDACTED


def drop_addresses(value: Any) -> Any:
    """Return a JSON value without the keys that are never stored, at every depth, and otherwise as it was."""
    if isinstance(value, list):
        return [drop_addresses(item) for item in value]
    if isinstance(value, dict):
        keys = default_redactor().keys
        return {key: drop_addresses(inner) for key, inner in value.items() if keys.judge(key, inner) != "drop"}
    return value


def redact_text(text: str) -> str:
    """Replace what is personal in a text, by the rules of this checkout's seeds."""
    return default_redactor().text(text)


@lru_cache(maxsize=8)
def redactor_for(rules: EventRules) -> Redactor:
    """Return the redactor of these rules, the same one for the same rules."""
    return Redactor(rules)


def default_redactor() -> Redactor:
    """Return the redactor of this checkout's seeds."""
    return redactor_for(default_rules())


def _replaced(text: str, spans: list[Span], replacement: str) -> str:
    if not spans:
        return text
    spans.sort()
    pieces: list[str] = []
    position = 0
    start, end = spans[0]
    for next_start, next_end in [*spans[1:], (len(text) + 1, 0)]:
        if next_start <= end:
            end = max(end, next_end)
            continue
        pieces += (text[position:start], replacement)
        position = end
        start, end = next_start, next_end
    pieces.append(text[position:])
    return "".join(pieces)


@lru_cache(maxsize=2_048)
def _is_id(key: str) -> bool:
    return key.endswith(("Id", "ID", "Ids", "_id", "_ids", "-id")) or key in ("id", "ids")


@lru_cache(maxsize=2_048)
def _is_version(key: str) -> bool:
    name = key.lower()
    return any(word in name for word in ("version", "build", "release", "firmware"))
