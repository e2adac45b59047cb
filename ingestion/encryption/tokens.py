"""Keys, and the texts that encrypted values are stored as. Which values those are is not decided here."""

import base64
import binascii
import re
import secrets
from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import Any, Final

import msgspec

PREFIX: Final = "encrypted:1:"
# AES-SIV with two keys of 256 bits, which is what its strength of 256 bits takes.
KEY_BYTES: Final = 64
_CONTEXT_BYTES: Final = 16
# Inside JSON text, where a token stands as a whole string: none of its characters needs an escape.
TOKEN_IN_JSON: Final = re.compile(rf'(?<![\\])"({PREFIX}[0-9a-f]{{8}}:[A-Za-z0-9_-]+)"')
_TOKEN: Final = re.compile(rf"{PREFIX}([0-9a-f]{{8}}):([A-Za-z0-9_-]+)")
HOW_TO_MAKE_A_KEY: Final = "`python -m ingestion.encryption key` makes one"


class EncryptionSettingsError(Exception):
    """The settings of encryption cannot be used. The text says which and what to do, and holds no key."""


class UnreadableToken(ValueError):
    """A text that is no encrypted value, that no known key opens, or that was changed. Never quotes it."""


class KeyRing:
    """The keys that are in force: the first encrypts, all of them decrypt."""

    def __init__(self, keys: Iterable[bytes]) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESSIV

        self._keys = list(keys)
        self._ciphers: Final = {_key_id(key): AESSIV(key) for key in self._keys}
        self._first = next(iter(self._ciphers))

    def __reduce__(self) -> tuple[type["KeyRing"], tuple[list[bytes]]]:
        # The ciphers cannot be handed to another process, the keys can.
        return KeyRing, (self._keys,)

    @classmethod
    def parse(cls, text: str) -> "KeyRing":
        """The keys of WAREHOUSE_ENCRYPTION_KEY: base64url of 64 random bytes each, separated by commas.

        Raises EncryptionSettingsError.
        """
        keys = [_parse_key(part.strip()) for part in text.split(",") if part.strip()]
        if not keys:
            raise EncryptionSettingsError(f"WAREHOUSE_ENCRYPTION_KEY is missing: {HOW_TO_MAKE_A_KEY}")
        return cls(keys)

    def encrypt(self, value: Any, context: bytes) -> str:
        """The token of a JSON value. The same value in the same context always gives the same token."""
        return self._seal(msgspec.json.encode(value, order="sorted"), sha256(context).digest()[:_CONTEXT_BYTES])

    def decrypt(self, token: str) -> Any:
        """The JSON value of a token. Raises UnreadableToken."""
        return msgspec.json.decode(self._open(token)[0])

    def renew(self, token: str) -> str:
        """The token as the first key makes it; itself when that key made it. Raises UnreadableToken."""
        return token if self.is_current(token) else self._seal(*self._open(token))

    def renew_json(self, text: str, unreadable: Callable[[], None]) -> str:
        """JSON text with every token in it renewed. Texts that no key opens stay, and are told by `unreadable`."""

        def renewed(match: re.Match[str]) -> str:
            try:
                return f'"{self.renew(match[1])}"'
            except UnreadableToken:
                unreadable()
                return match[0]

        return TOKEN_IN_JSON.sub(renewed, text)

    def is_current(self, token: str) -> bool:
        """Whether a token says that the first key made it."""
        return token.startswith(self.current_prefix)

    @property
    def current_prefix(self) -> str:
        """How the tokens of the first key begin."""
        return f"{PREFIX}{self._first}:"

    def _seal(self, plain: bytes, context: bytes) -> str:
        sealed = self._ciphers[self._first].encrypt(plain, [context])
        return self.current_prefix + base64.urlsafe_b64encode(context + sealed).rstrip(b"=").decode()

    def _open(self, token: str) -> tuple[bytes, bytes]:
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
            context, sealed = stored[:_CONTEXT_BYTES], stored[_CONTEXT_BYTES:]
            return cipher.decrypt(sealed, [context]), context
        except (InvalidTag, ValueError) as error:
            raise UnreadableToken("not whole, or changed since it was encrypted") from error


def new_key() -> str:
    """A fresh random key, as WAREHOUSE_ENCRYPTION_KEY takes it."""
    return base64.urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)).rstrip(b"=").decode()


def _parse_key(text: str) -> bytes:
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise EncryptionSettingsError(
            f"WAREHOUSE_ENCRYPTION_KEY holds a key that is not the base64url of {KEY_BYTES} bytes: {HOW_TO_MAKE_A_KEY}"
        )
    return key


def _key_id(key: bytes) -> str:
    return sha256(b"key id of " + key).hexdigest()[:8]
