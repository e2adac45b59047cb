"""Keyed hashes that stand in place of what names a person: e-mail addresses of users, ids that are addresses.

One key, WAREHOUSE_HASH_KEY, and one spelling of what is hashed, so that the same address has the same hash wherever it
comes from.
"""

import hashlib
import hmac
from typing import Final

# Below this length a hash of an e-mail address can be undone by trying keys.
MIN_HASH_KEY_LENGTH: Final = 16


def refuse_short_key(key: str) -> None:
    """Raise ValueError for a key that could be guessed."""
    if len(key) < MIN_HASH_KEY_LENGTH:
        raise ValueError(
            f"WAREHOUSE_HASH_KEY must have at least {MIN_HASH_KEY_LENGTH} characters: it keeps the hashes of e-mail"
            " addresses from being guessed. Generate one and never change it"
        )


def keyed_hash(text: str, key: bytes) -> str:
    """Return the hexadecimal HMAC-SHA256 of a text."""
    return hmac.new(key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def hash_email(address: str, key: bytes) -> str | None:
    """Return the keyed hash of an e-mail address, letter case and outer blanks aside; None for an empty one."""
    canonical = address.strip().lower()
    return keyed_hash(canonical, key) if canonical else None
