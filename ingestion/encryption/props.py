"""Which values of an event are encrypted: those under the named keys, at any depth of its props.

A named prop is encrypted as it was sent, also where its key or text would have been redacted: naming it says that
authorised people need it. What is dropped at the door, addresses and user agents, is dropped inside of it too.
In lines that are kept without being events, nothing can be authorised: there the values are `[redacted]`.
"""

from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from typing import Any, Final

from ingestion.encryption.tokens import EncryptionSettingsError, KeyRing
from ingestion.redaction.redactor import default_redactor, drop_addresses

# Stored as numbers in columns of their own, which sums are made of.
_NUMBERS: Final = {"revenuecents": "revenueCents", "feecents": "feeCents", "engagementtime": "engagementTime"}
_REMEMBERED_KEY_LENGTH: Final = 256


class PropEncryption:
    """The named props and the keys to encrypt them. Spelling does not matter: legalName, legal_name, LEGAL-NAME."""

    def __init__(self, names: Iterable[str], keys: KeyRing) -> None:
        self.keys = keys
        self._names = frozenset(folded for name in names if (folded := _folded(name)))

    @classmethod
    def of(cls, named_props: str, keys: str) -> "PropEncryption | None":
        """By the settings WAREHOUSE_ENCRYPTED_PROPS and WAREHOUSE_ENCRYPTION_KEY; None where no prop is named.

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
                " `python -m ingestion.encryption key` makes one. Nothing is loaded without it"
            )
        return cls(names, KeyRing.parse(keys))

    @property
    def names(self) -> frozenset[str]:
        """Return the named props, in the spelling by which they are compared."""
        return self._names

    def covers(self, key: str) -> bool:
        """Whether a key, in any spelling, is that of a named prop."""
        return (_remembered(key) if len(key) <= _REMEMBERED_KEY_LENGTH else _folded(key)) in self._names

    def for_event(self, event_date: date, event_key: str) -> "EventSealer":
        """What seals the props of one event."""
        return EventSealer(self, event_date, event_key)


class EventSealer:
    """Encrypts the named props of one event, bound to its day and key."""

    __slots__ = ("_encryption", "_event", "covers")

    def __init__(self, encryption: PropEncryption, event_date: date, event_key: str) -> None:
        self._encryption = encryption
        self._event = f"{event_date.isoformat()}\0{event_key}"
        self.covers = encryption.covers

    def seal(self, key: str, value: Any) -> str | None:
        """The encrypted value of a named prop; null stays null."""
        if value is None:
            return None
        context = f"{_folded(key)}\0{self._event}".encode()
        return self._encryption.keys.encrypt(drop_addresses(value), context)


def _problem(name: str) -> str | None:
    folded = _folded(name)
    if not folded:
        return "which is no name: give the keys of props, separated by commas"
    if folded in _NUMBERS:
        return f"but {_NUMBERS[folded]} is a number in a column of its own and cannot be encrypted: take it out"
    if default_redactor().keys.kind(name) == "dropped":
        return "but addresses and user agents are never stored, encrypted or not: take it out"
    return None


def _folded(key: str) -> str:
    return "".join(character for character in key.lower() if character.isalnum())


_remembered: Final = lru_cache(maxsize=2048)(_folded)
