"""Encryption of named props: the values under their keys, at any depth of an event's props.

A named prop is encrypted as it was sent, also where redaction would have replaced it: authorised people need the value.
IP addresses and user agents are never stored, so they are dropped inside of it too. Rejected lines are no events, so
their values are `[redacted]` and not encrypted.
"""

from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from typing import Any, Final

from ingestion.encryption.tokens import NEW_KEY_COMMAND, EncryptionSettingsError, KeyRing
from ingestion.redaction.redactor import default_redactor

# Props that are numbers in columns of their own, from which models calculate sums.
_NUMBERS: Final = {"revenuecents": "revenueCents", "feecents": "feeCents", "engagementtime": "engagementTime"}
_MAX_CACHED_LENGTH: Final = 256


class NamedProps:
    """The names of props to encrypt. Their form does not matter: legalName, legal_name and LEGAL-NAME are one name."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = frozenset(normalized for name in names if (normalized := _normalized(name)))

    def handles(self, key: str) -> bool:
        """Return whether a key, in any form, is that of a named prop."""
        return (_cached(key) if len(key) <= _MAX_CACHED_LENGTH else _normalized(key)) in self.names


class PropEncryption(NamedProps):
    """The named props with the keys that encrypt them."""

    def __init__(self, names: Iterable[str], keys: KeyRing) -> None:
        super().__init__(names)
        self.keys = keys

    @classmethod
    def from_settings(cls, named_props: str, keys: str) -> "PropEncryption | None":
        """Read WAREHOUSE_ENCRYPTED_PROPS and WAREHOUSE_ENCRYPTION_KEY. Returns None where no prop is named.

        Raises EncryptionSettingsError when a prop cannot be encrypted, or a key is missing or unusable.
        """
        names = [name.strip() for name in named_props.split(",") if name.strip()]
        for name in names:
            if problem := _problem(name):
                raise EncryptionSettingsError(f"WAREHOUSE_ENCRYPTED_PROPS names {name!r}, {problem}")
        if not names:
            return None
        if not keys.strip():
            raise EncryptionSettingsError(
                f"WAREHOUSE_ENCRYPTED_PROPS names {', '.join(names)}, and WAREHOUSE_ENCRYPTION_KEY is missing:"
                f" {NEW_KEY_COMMAND} prints one. Nothing is loaded without it"
            )
        return cls(names, KeyRing.parse(keys))


class EventPropEncryptor:
    """Encryptor for the named props of one event, bound to its day and key."""

    __slots__ = ("_encryption", "_event", "handles")

    def __init__(self, encryption: PropEncryption, event_date: date, event_key: str) -> None:
        self._encryption = encryption
        self._event = f"{event_date.isoformat()}\0{event_key}"
        self.handles = encryption.handles

    def encrypt(self, key: str, value: Any) -> str | None:
        """Encrypt the value of a named prop; null stays null."""
        if value is None:
            return None
        return self._encryption.keys.encrypt(value, f"{_normalized(key)}\0{self._event}".encode())


def _problem(name: str) -> str | None:
    normalized = _normalized(name)
    if not normalized:
        return "which is no name: give the keys of props, separated by commas"
    if normalized in _NUMBERS:
        return f"but {_NUMBERS[normalized]} is a number in a column of its own and cannot be encrypted: take it out"
    if default_redactor().keys.kind(name) == "dropped":
        return "but addresses and user agents are never stored, encrypted or not: take it out"
    return None


def _normalized(key: str) -> str:
    return "".join(character for character in key.lower() if character.isalnum())


_cached: Final = lru_cache(maxsize=2048)(_normalized)
