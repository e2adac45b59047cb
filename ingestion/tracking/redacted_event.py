"""An event without personal data, before it is written to a landing file: by the rules of the warehouse itself.

Loaded, the redacted event gives the row that the event itself would have given, but for the hash of what was sent. The
user agent stays in its field, since the warehouse derives device and crawler from it; so do props that the warehouse
encrypts.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

from ingestion.contract import CLICK_IDS, ID_FIELDS, Attribution
from ingestion.redaction import Redactor
from ingestion.redaction.personal_ids import hashed_id, hashed_key
from ingestion.redaction.redactor import drop_addresses
from ingestion.tracking.json_form import AGENTS
from ingestion.validation.consent import DECLINING_KEYS

_KEYS: Final = frozenset({"idempotencyKey", "eventId"})
_PERSONS: Final = frozenset({"actorId", "anonymousId"})
_RULED: Final = frozenset(
    {"eventType", "occurredAt", "receivedAt", "source", "actorType", "sessionId", "entityType", *ID_FIELDS}
)
# Random texts, in which anything could look like a phone number.
_CLICKS: Final = frozenset(
    spelling
    for name, sent in zip(Attribution.__struct_fields__, Attribution.__struct_encode_fields__, strict=True)
    if name in CLICK_IDS
    for spelling in (name, sent)
)

# Of context and props: consent, and what the warehouse parses.
_UNJUDGED: Final = frozenset((*DECLINING_KEYS, *AGENTS))


class EventRedaction:
    """Redaction of events for landing files. Ids that name persons are hashed where there is a key for it."""

    def __init__(self, redactor: Redactor, *, hash_key: bytes = b"", encrypted_props: Iterable[str] = ()) -> None:
        self._redactor = redactor
        self._hash_key = hash_key
        self._kept = _Kept(encrypted_props)

    def of(self, event: dict[str, Any]) -> dict[str, Any]:
        """Return the event, under camelCase keys, without personal data."""
        redacted: dict[str, Any] = {}
        for name, value in event.items():
            if name in ID_FIELDS:
                redacted[name] = self._id(name, value)
            elif name in _RULED or name in DECLINING_KEYS:
                redacted[name] = value
            elif name in ("props", "context", "attribution") and isinstance(value, dict):
                redacted[name] = self._section(name, value)
            else:
                redacted |= self._redactor.value({name: value}, self._kept)
        return redacted

    def _section(self, section: str, values: dict[str, Any]) -> dict[str, Any]:
        as_sent = _CLICKS if section == "attribution" else _UNJUDGED
        kept = {name: value for name, value in values.items() if name in as_sent}
        for name in kept.keys() & _CLICKS:
            # As the warehouse does: an address is known by its sign, a random text is not.
            if isinstance(kept[name], str) and ("@" in kept[name] or "%" in kept[name]):
                kept[name] = self._redactor.text(kept[name].strip())
        others = {name: value for name, value in values.items() if name not in as_sent}
        redacted: dict[str, Any] = self._redactor.value(others, self._kept)
        return redacted | kept

    def _id(self, name: str, value: Any) -> Any:
        if not self._hash_key or not isinstance(value, str):
            return value
        text = value.strip()
        if name in _KEYS:
            return hashed_key(text, self._hash_key) or value
        return hashed_id(text, self._hash_key, is_person=name in _PERSONS) or value


class _Kept:
    """Values that the warehouse encrypts under their keys: kept here, without the addresses that it drops."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(folded for name in names if (folded := _folded(name)))
        self.covers: Callable[[str], bool] = lambda key: _folded(key) in self._names

    def seal(self, key: str, value: Any) -> Any:  # noqa: ARG002 - of the protocol
        """Return the value as it was sent."""
        return drop_addresses(value)


def _folded(key: str) -> str:
    return "".join(character for character in key.lower() if character.isalnum())
