"""A usable event as it is stored: the columns, what fills them, and the id."""

from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from hashlib import sha256
from operator import attrgetter
from typing import Final

import msgspec

from ingestion.contract import DEFAULT_SOURCE, MAX_UTM_LENGTH, Attribution, Context, Event, Props
from ingestion.enrichment import Device, parse_user_agent
from ingestion.privacy import redact_short_text, redact_text

# The version of a UUID is in 4 of its bits, 8 here, the variant in 2.
_UUID_CONTENT: Final = 2**128 - 1 ^ (0xF << 76 | 0x3 << 62)
_UUID_8: Final = 0x8 << 76 | 0x2 << 62
_NO_CONTEXT: Final = Context()
_ATTRIBUTION_FIELDS: Final = attrgetter(*Attribution.__struct_fields__)


class StoredEvent(msgspec.Struct, frozen=True, gc=False):
    """A usable event by the columns that it is stored in: times in UTC, UUIDs as their 16 bytes, props as JSON."""

    event_date: date
    event_key: str
    event_id: bytes
    event_type: str
    occurred_at: datetime
    received_at: datetime
    source: str
    actor_id: str | None
    actor_type: str | None
    anonymous_id: str | None
    session_id: bytes | None
    entity_type: str | None
    entity_id: str | None
    ip_asset_id: str | None
    project_id: str | None
    license_id: str | None
    revenue_cents: int | None
    fee_cents: int | None
    engagement_milliseconds: int | None
    props: bytes
    device: Device
    canonical_hash: bytes
    attribution: tuple[str | None, ...] | None  # None where none of it is given


def stored_event(
    event: Event,
    known: Props,
    occurred_at: datetime,
    received_at: datetime,
    session_id: bytes | None,
    event_key: str,
    props: bytes,
    canonical_hash: bytes,
) -> StoredEvent:
    """An event that breaks no rule, with its known props, under its key. `props` are those to store: JSON without
    personal data."""
    event_date = occurred_at.date()
    entity_type = None if event.entity_type is None else event.entity_type.lower()
    entity_id = event.entity_id
    context = event.context or _NO_CONTEXT
    device = parse_user_agent(context.user_agent or known.user_agent)
    if context.device_type or context.browser or context.os:
        device = device._replace(
            device_type=context.device_type or device.device_type,
            browser=context.browser or device.browser,
            os=context.os or device.os,
        )
    return StoredEvent(
        event_date,
        event_key,
        event_id(event_date, event_key),
        event.event_type,
        occurred_at,
        received_at,
        event.source or DEFAULT_SOURCE,
        event.actor_id,
        event.actor_type,
        event.anonymous_id,
        session_id,
        entity_type,
        entity_id,
        event.ip_asset_id or (entity_id if entity_type == "asset" else None),
        event.project_id or (entity_id if entity_type == "project" else None),
        event.license_id or (entity_id if entity_type == "license" else None),
        known.revenue_cents,
        known.fee_cents,
        None if known.engagement_time is None else _to_milliseconds(known.engagement_time),
        props,
        device,
        canonical_hash,
        None if event.attribution is None else _attribution(event.attribution),
    )


def event_id(event_date: date, event_key: str) -> bytes:
    """The stored id of an event: a UUID of version 8 made of the SHA-256 of its day and key, the same everywhere."""
    digest = sha256(_spelled(event_date) + event_key.encode()).digest()
    return (int.from_bytes(digest[:16]) & _UUID_CONTENT | _UUID_8).to_bytes(16)


@lru_cache(maxsize=1024)
def _spelled(event_date: date) -> bytes:
    return f"{event_date.isoformat()} ".encode()


def _attribution(attribution: Attribution) -> tuple[str | None, ...] | None:
    given = _ATTRIBUTION_FIELDS(attribution)
    # Click ids, the last four, are random text, in which anything could look like a phone number.
    stored = (*[_redacted(text) if text else None for text in given[:7]], *[text or None for text in given[7:]])
    return stored if any(stored) else None


def _redacted(text: str) -> str:
    return redact_short_text(text) if len(text) <= MAX_UTM_LENGTH else redact_text(text)


def _to_milliseconds(seconds: float) -> int:
    milliseconds = round(seconds * 1_000)
    # The very number: of all that have three decimals at most, no two are the same float.
    if milliseconds / 1_000 == seconds:
        return milliseconds
    # By way of its shortest text, so that 0.0005 is the number that was written and not the float just beside it.
    return int(Decimal(repr(seconds)).scaleb(3).quantize(1, ROUND_HALF_UP))
