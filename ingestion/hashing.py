"""Keyed hashes in place of e-mail addresses and of ids that are personal.

All hashes use the key WAREHOUSE_HASH_KEY, and addresses in one form. So an address has one hash in every source.
"""

import hashlib
import hmac
from typing import Final

# A shorter key can be found by trial, which reveals the e-mail addresses.
MIN_HASH_KEY_LENGTH: Final = 16


def require_long_key(key: str) -> None:
    """Raise ValueError for a key that is short enough to be guessed."""
    if len(key) < MIN_HASH_KEY_LENGTH:
        raise ValueError(
            f"WAREHOUSE_HASH_KEY must have at least {MIN_HASH_KEY_LENGTH} characters: it keeps the hashes of e-mail"
            " addresses from being guessed. Generate one and never change it"
        )


def keyed_hash(text: str, key: bytes) -> str:
    """Return the hexadecimal HMAC-SHA256 of a text."""
    return hmac.new(key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def hash_email(address: str, key: bytes) -> str | None:
    """Return the keyed hash of an e-mail address, without letter case and outer blanks; None for an empty one."""
    canonical = address.strip().lower()
    return keyed_hash(canonical, key) if canonical else None
