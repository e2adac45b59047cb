"""Keyed hashes of erased ids, and the rule by which loads leave out events that name them.

The hash is HMAC-SHA256 under WAREHOUSE_ERASURE_KEY of the kind and the stored form of an id. Postgres computes it too,
from two sha256 calls, so that whole tables are compared without their ids leaving the server.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final
from uuid import UUID

from ingestion.hashing import MIN_HASH_KEY_LENGTH
from ingestion.validation.event_record import ValidEvent

_BLOCK_BYTES: Final = 64


class IdKind(StrEnum):
    """Kinds of erased ids: the actor of an event is a row of the product's users."""

    PERSON = "person"
    DEVICE = "device"
    SESSION = "session"
    CREATOR = "creator"
    BRAND = "brand"


# Entities of events that are persons or belong to one.
ENTITY_KINDS: Final = {"user": IdKind.PERSON, "creator": IdKind.CREATOR, "brand": IdKind.BRAND}


class ErasureKeyMissing(Exception):
    """Erased ids cannot be recognised, because WAREHOUSE_ERASURE_KEY is missing or short."""


def require_key(key: str) -> bytes:
    """Return the key as bytes. Raises ErasureKeyMissing for a missing or short one."""
    if len(key) < MIN_HASH_KEY_LENGTH:
        raise ErasureKeyMissing(
            f"WAREHOUSE_ERASURE_KEY must have at least {MIN_HASH_KEY_LENGTH} characters: persons that were erased are"
            " recognised by hashes under it. Generate one, never change it, and keep it outside of the warehouse"
        )
    return key.encode()


def id_hash(kind: IdKind, text: str, key: bytes) -> bytes:
    """Return the keyed hash of an id in its stored form."""
    return hmac.digest(key, f"{kind}:{text}".encode("utf-8", "surrogatepass"), hashlib.sha256)


def hash_sql(kind: IdKind, column: str) -> str:
    """Return SQL for `id_hash` of a text column; takes the parameters of `hash_parameters`."""
    return f"sha256(%(outer_pad)s::bytea || sha256(%(inner_pad)s::bytea || convert_to('{kind}:' || {column}, 'UTF8')))"


def hash_parameters(key: bytes) -> dict[str, bytes]:
    """Return the two padded keys of HMAC-SHA256. They are as secret as the key."""
    if len(key) > _BLOCK_BYTES:
        key = hashlib.sha256(key).digest()
    block = key.ljust(_BLOCK_BYTES, b"\0")
    return {
        "outer_pad": bytes(byte ^ 0x5C for byte in block),
        "inner_pad": bytes(byte ^ 0x36 for byte in block),
    }


@dataclass(frozen=True, slots=True)
class ErasedIds:
    """Hashes of erased ids, with the time from which each is erased (microseconds since 2000; None: always)."""

    key: bytes
    erased_from: Mapping[bytes, int | None]
    replacements: Mapping[bytes, str]

    def names(self, kind: IdKind, text: str | None, occurred_at: int) -> bool:
        """Return whether an id is erased for events at this time."""
        if text is None:
            return False
        hashed = _cached_hash(kind, text, self.key)
        if hashed not in self.erased_from:
            return False
        start = self.erased_from[hashed]
        return start is None or occurred_at >= start

    def replacement(self, kind: IdKind, text: str) -> str | None:
        """Return the random id under which the rows of a creator or brand stay."""
        return self.replacements.get(_cached_hash(kind, text, self.key))

    def is_erased(self, event: ValidEvent) -> bool:
        """Return whether an event is an erased subject's: by its actor, else by its device, else by its session."""
        if event.actor_id is not None:
            return self.names(IdKind.PERSON, event.actor_id, event.occurred_at)
        if event.anonymous_id is not None:
            return self.names(IdKind.DEVICE, event.anonymous_id, event.occurred_at)
        session = None if event.session_id is None else str(UUID(bytes=event.session_id))
        return self.names(IdKind.SESSION, session, event.occurred_at)

    def is_mentioned(self, event: ValidEvent) -> bool:
        """Return whether another person's event has an erased id as its entity or device."""
        entity_kind = ENTITY_KINDS.get(event.kind.entity_type or "")
        return self.names(IdKind.DEVICE, event.anonymous_id, event.occurred_at) or (
            entity_kind is not None and self.names(entity_kind, event.entity_id, event.occurred_at)
        )


@lru_cache(maxsize=65_536)
def _cached_hash(kind: IdKind, text: str, key: bytes) -> bytes:
    return id_hash(kind, text, key)
