"""Encryption keys, and the tokens in which encrypted values are stored. props.py selects the values."""

import base64
import binascii
import re
import secrets
from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import Any, Final

import msgspec

PREFIX: Final = "encrypted:1:"
# AES-SIV takes two keys of 256 bits for a strength of 256 bits.
KEY_BYTES: Final = 64
_CONTEXT_BYTES: Final = 16
# A token inside JSON is a whole string, and none of its characters needs an escape.
TOKEN_IN_JSON: Final = re.compile(rf'(?<![\\])"({PREFIX}[0-9a-f]{{8}}:[A-Za-z0-9_-]+)"')
_TOKEN: Final = re.compile(rf"{PREFIX}([0-9a-f]{{8}}):([A-Za-z0-9_-]+)")
NEW_KEY_COMMAND: Final = "`warehouse encryption key`"


class EncryptionSettingsError(Exception):
    """Unusable settings of encryption. The message names the setting and the remedy, and holds no key."""


class UnreadableToken(ValueError):
    """A text that is no encrypted value, has no known key, or was changed. The message never quotes it."""


class KeyRing:
    """The encryption keys: the first encrypts, all of them decrypt."""

    def __init__(self, keys: Iterable[bytes]) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESSIV

        self._keys = list(keys)
        self._ciphers: Final = {_key_id(key): AESSIV(key) for key in self._keys}
        self._first = next(iter(self._ciphers))

    def __reduce__(self) -> tuple[type["KeyRing"], tuple[list[bytes]]]:
        # Keys can be pickled for another process, ciphers cannot.
        return KeyRing, (self._keys,)

    @classmethod
    def parse(cls, text: str) -> "KeyRing":
        """Read WAREHOUSE_ENCRYPTION_KEY: base64url of 64 random bytes for each key, separated by commas.

        Raises EncryptionSettingsError.
        """
        keys = [_parse_key(part.strip()) for part in text.split(",") if part.strip()]
        if not keys:
            raise EncryptionSettingsError(f"WAREHOUSE_ENCRYPTION_KEY is missing: {NEW_KEY_COMMAND} prints one")
        return cls(keys)

    def encrypt(self, value: Any, context: bytes) -> str:
        """Return the token of a JSON value. Equal values in equal contexts give equal tokens."""
        return self._encrypt(msgspec.json.encode(value, order="sorted"), sha256(context).digest()[:_CONTEXT_BYTES])

    def decrypt(self, token: str) -> Any:
        """Return the JSON value of a token. Raises UnreadableToken."""
        return msgspec.json.decode(self._decrypt(token)[0])

    def renew(self, token: str) -> str:
        """Encrypt the value of a token with the first key, unless it is that key's. Raises UnreadableToken."""
        return token if self.is_current(token) else self._encrypt(*self._decrypt(token))

    def renew_json(self, text: str, unreadable: Callable[[], None]) -> str:
        """Renew every token inside JSON. Calls `unreadable` for each that no key decrypts, and keeps it."""

        def renewed(match: re.Match[str]) -> str:
            try:
                return f'"{self.renew(match[1])}"'
            except UnreadableToken:
                unreadable()
                return match[0]

        return TOKEN_IN_JSON.sub(renewed, text)

    def is_current(self, token: str) -> bool:
        """Return whether a token names the first key."""
        return token.startswith(self.current_prefix)

    @property
    def current_prefix(self) -> str:
        """Return the beginning of the first key's tokens."""
        return f"{PREFIX}{self._first}:"

    def _encrypt(self, plaintext: bytes, context: bytes) -> str:
        ciphertext = self._ciphers[self._first].encrypt(plaintext, [context])
        return self.current_prefix + base64.urlsafe_b64encode(context + ciphertext).rstrip(b"=").decode()

    def _decrypt(self, token: str) -> tuple[bytes, bytes]:
        from cryptography.exceptions import InvalidTag

        match = _TOKEN.fullmatch(token)
        if match is None:
            raise UnreadableToken(f"not an encrypted value: one begins with {PREFIX}")
        key_id, body = match.groups()
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise UnreadableToken(f"encrypted by key {key_id}, which WAREHOUSE_ENCRYPTION_KEY does not hold")
        try:
            stored = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
            context, ciphertext = stored[:_CONTEXT_BYTES], stored[_CONTEXT_BYTES:]
            return cipher.decrypt(ciphertext, [context]), context
        except (InvalidTag, ValueError) as error:
            raise UnreadableToken("not whole, or changed since it was encrypted") from error


def new_key() -> str:
    """Return a new random key in the form of WAREHOUSE_ENCRYPTION_KEY."""
    return base64.urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)).rstrip(b"=").decode()


def _parse_key(text: str) -> bytes:
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise EncryptionSettingsError(
            f"WAREHOUSE_ENCRYPTION_KEY holds a key that is not the base64url of {KEY_BYTES} bytes:"
            f" {NEW_KEY_COMMAND} prints one"
        )
    return key


def _key_id(key: bytes) -> str:
    return sha256(b"key id of " + key).hexdigest()[:8]
