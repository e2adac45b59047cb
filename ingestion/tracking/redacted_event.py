"""Redaction of tracked events before they are written to a landing file, by the rules of the warehouse.

A load turns the redacted event into the row of the original, except for the hash of the event as sent. The user agent
stays in its field, since the warehouse derives device and crawler from it. Props that the warehouse encrypts stay too.
"""

from collections.abc import Iterable
from typing import Any, Final

from ingestion.contract import CLICK_IDS, ID_FIELDS, Attribution
from ingestion.encryption.props import NamedProps
from ingestion.redaction import Redactor
from ingestion.redaction.personal_ids import hashed_field
from ingestion.validation.consent import DECLINING_KEYS

_USER_AGENT: Final = ("userAgent", "user_agent")
# Fields whose rules leave no room for personal data.
_RULED: Final = frozenset(
    {"eventType", "occurredAt", "receivedAt", "source", "actorType", "sessionId", "entityType", *ID_FIELDS}
)
# Click ids are random texts, in which any digits could form a phone number.
_CLICK_IDS: Final = frozenset(
    key
    for name, sent in zip(Attribution.__struct_fields__, Attribution.__struct_encode_fields__, strict=True)
    if name in CLICK_IDS
    for key in (name, sent)
)
# Keys of context and props that the warehouse evaluates.
_KEPT_KEYS: Final = frozenset((*DECLINING_KEYS, *_USER_AGENT))


class EventRedaction:
    """Redaction of events for landing files. Personal ids are hashed if there is a key."""

    def __init__(self, redactor: Redactor, *, hash_key: bytes = b"", encrypted_props: Iterable[str] = ()) -> None:
        self._redactor = redactor
        self._hash_key = hash_key
        self._kept = _KeptProps(encrypted_props)

    def without_dropped(self, event: dict[str, Any]) -> dict[str, Any]:
        """Return an event without the keys whose values are never stored. The user agent stays for the warehouse."""
        kept: dict[str, Any] = self._redactor.keys.without_dropped(event)
        for section in ("context", "props"):
            if isinstance(inner := event.get(section), dict):
                kept[section] |= {key: inner[key] for key in _USER_AGENT if key in inner}
        return kept

    def redact(self, event: dict[str, Any]) -> dict[str, Any]:
        """Return an event, under camelCase keys, without personal data."""
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
        as_sent = _CLICK_IDS if section == "attribution" else _KEPT_KEYS
        kept = {name: value for name, value in values.items() if name in as_sent}
        for name in kept.keys() & _CLICK_IDS:
            # The warehouse searches a click id only where it has a sign of an e-mail address or of an encoding.
            if isinstance(kept[name], str) and ("@" in kept[name] or "%" in kept[name]):
                kept[name] = self._redactor.text(kept[name].strip())
        others = {name: value for name, value in values.items() if name not in as_sent}
        redacted: dict[str, Any] = self._redactor.value(others, self._kept)
        return redacted | kept

    def _id(self, name: str, value: Any) -> Any:
        if not self._hash_key or not isinstance(value, str):
            return value
        return hashed_field(name, value.strip(), self._hash_key) or value


class _KeptProps(NamedProps):
    """Stand-in for the encryption of named props: the warehouse encrypts them, the tracker keeps their values."""

    def encrypt(self, key: str, value: Any) -> Any:  # noqa: ARG002 - of the protocol
        """Return the value."""
        return value
