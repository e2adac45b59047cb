"""Redaction of texts and JSON values by the rules of a load.

Rules search a text at every level of its encoding (decoding.py). Personal data found at any level is replaced in the
source. Redacting twice is redacting once. Every pattern runs in linear time: quantifiers are bounded or possessive.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any, Final, Protocol

from ingestion.redaction.accounts import CARD_LENGTHS, find_cards, find_ibans, is_card_number, whole_digits
from ingestion.redaction.assignments import find_parameters, find_tokens, find_values
from ingestion.redaction.decoding import Level, Span, levels
from ingestion.redaction.emails import find_emails, find_user_info
from ingestion.redaction.keys import PersonalKey, PersonalKeys
from ingestion.redaction.marker import REDACTED
from ingestion.redaction.network import find_addresses, find_agents
from ingestion.redaction.phones import find_phones
from ingestion.redaction.prefilter import is_clean_national_text, is_clean_text, may_hold_personal_data
from ingestion.validation_lists import EventRules, default_rules

# A replacement brings other characters together; a second round nearly always finds nothing.
_MAX_ROUNDS: Final = 4
_MAX_CACHED_LENGTH: Final = 512
_MAX_VERSION_LENGTH: Final = 20


# Returns whether the props of a key are encrypted.
IsEncryptedKey = Callable[[str], bool]


class PropEncryptor(Protocol):
    """An encryptor for the values of named props."""

    def handles(self, key: str) -> bool: ...
    def encrypt(self, key: str, value: Any) -> Any: ...


def no_key(_: str) -> bool:
    """Return False: no props are encrypted."""
    return False


class Redactor:
    """Redaction by the rules of a load. Holds no data but a bounded cache of keys and short texts."""

    def __init__(self, rules: EventRules) -> None:
        self.keys = PersonalKeys(PersonalKey.parse(*row) for row in rules.personal_keys)
        self._regions = rules.phone_regions
        self.short_text = lru_cache(maxsize=8_192)(self._redact)
        self.is_clean_text = is_clean_national_text if rules.phone_regions else is_clean_text

    def text(self, text: str, *, key: str = "", is_encrypted_key: IsEncryptedKey = no_key) -> str:
        """Replace the personal data of a text, encoded or not, and the values of encrypted keys in it.

        `key` is the one that the text stands under.
        """
        key = key if key and (_is_id(key) or _is_version(key)) else ""
        if not key and is_encrypted_key is no_key and len(text) <= _MAX_CACHED_LENGTH:
            return self.short_text(text)
        return self._redact(text, key, is_encrypted_key)

    def value(self, value: Any, encryptor: PropEncryptor | None = None, *, key: str = "") -> Any:
        """Return a JSON value without personal data: each key is kept, dropped, redacted or encrypted."""
        if isinstance(value, str):
            return self.text(value, key=key)
        if isinstance(value, list):
            return [self.value(item, encryptor, key=key) for item in value]
        if isinstance(value, dict):
            return self._mapping(value, encryptor)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if is_number and self.redacts_number(str(value), key):
            return REDACTED
        return value

    def redacts_number(self, number: str, key: str = "") -> bool:
        """Return whether a JSON number is a payment card number. Under the key of an id it is none."""
        digits = whole_digits(number)
        return len(digits) in CARD_LENGTHS and is_card_number(digits) and not _is_id(key)

    def are_harmless(self, keys: Iterable[str]) -> bool:
        """Return whether no key says that its value may be personal."""
        return all(self.keys.kind(key) == "harmless" for key in keys)

    def is_clean(self, props: dict[str, Any], encoded: bytes) -> bool:
        """Return True if props with this JSON certainly hold no personal data; may return False for clean ones."""
        return self.are_harmless(props) and self.is_clean_text(encoded, len(props))

    def _mapping(self, mapping: dict[str, Any], encryptor: PropEncryptor | None) -> dict[str, Any]:
        redacted: dict[str, Any] = {}
        for key, inner in mapping.items():
            action = self.keys.action_for(key, inner)
            if action == "drop":
                continue
            if encryptor is not None and encryptor.handles(key):
                redacted[self.text(key)] = encryptor.encrypt(key, self.keys.without_dropped(inner))
            elif action == "hide":
                redacted[self.text(key)] = redacted_value(inner)
            else:
                redacted[self.text(key)] = self.value(inner, encryptor, key=key)
        return redacted

    def _redact(self, text: str, key: str = "", is_encrypted_key: IsEncryptedKey = no_key) -> str:
        if not may_hold_personal_data(text, has_regions=bool(self._regions)):
            return text
        for _ in range(_MAX_ROUNDS):
            decoded = list(levels(text))
            spans = [level.source(found) for level in decoded for found in find_user_info(level.text)]
            if spans:
                text = _replaced(text, spans, "")
                decoded = list(levels(text))
            redacted = _replaced(text, self._spans(decoded, key, is_encrypted_key), REDACTED)
            if redacted == text:
                break
            text = redacted
        return text

    def _spans(self, decoded: list[Level], key: str, is_encrypted_key: IsEncryptedKey) -> list[Span]:
        """Return the places of personal data in the source of decoded texts."""
        spans: list[Span] = []
        is_id, is_version = _is_id(key), _is_version(key)
        for level in decoded:
            text = level.text
            # In a form a plus may also be an encoded blank: both readings count.
            for reading in (text, text.replace("+", " ")) if "+" in text else (text,):
                found = self._personal_spans(reading, is_encrypted_key, is_id=is_id, is_version=is_version)
                spans.extend(map(level.source, found))
        return spans

    def _personal_spans(
        self, text: str, is_encrypted_key: IsEncryptedKey, *, is_id: bool, is_version: bool
    ) -> Iterator[Span]:
        yield from find_parameters(text, self.keys, is_encrypted_key)
        yield from find_values(text, self.keys, is_encrypted_key)
        yield from find_tokens(text)
        yield from find_emails(text)
        yield from find_agents(text)
        # A version of four numbers has the form of an IP address; its key says that it is a version.
        if not (is_version and len(text) <= _MAX_VERSION_LENGTH):
            yield from find_addresses(text)
        yield from find_phones(text, self._regions)
        yield from find_cards(text, is_id=is_id)
        yield from find_ibans(text)


def redacted_value(value: Any) -> Any:
    """Return `[redacted]` in place of a value; null, true and false stay."""
    return value if value is None or isinstance(value, bool) else REDACTED


def redact_text(text: str) -> str:
    """Replace the personal data of a text by the rules of this checkout's seeds."""
    return default_redactor().text(text)


@lru_cache(maxsize=8)
def redactor_for(rules: EventRules) -> Redactor:
    """Return the redactor of these rules, one object for equal rules."""
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
