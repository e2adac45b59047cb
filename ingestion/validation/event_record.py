"""The valid event as it is stored: its columns, how they are filled, and its id."""

from collections.abc import Callable
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from hashlib import sha256
from operator import attrgetter
from typing import Final

import msgspec

from ingestion.contract import CLICK_IDS, DEFAULT_SOURCE, DEVICE_SOURCES, Attribution, Event, Props
from ingestion.redaction import Redactor
from ingestion.user_agents import Device, UserAgentParser
from ingestion.utm_normalization import normalized_detail, normalized_name, normalized_source
from ingestion.validation.notes import Note
from ingestion.validation.timestamps import MICROSECONDS_OF_DAY, from_microseconds

# A UUID of version 8: four bits are the version and two the variant, the others are free.
_FREE_BITS: Final = 0xFFFFFFFF_FFFF_0FFF_3FFF_FFFFFFFFFFFF
_VERSION_8: Final = 0x00000000_0000_8000_8000_000000000000
_NO_CLICK_IDS: Final = (None,) * len(CLICK_IDS)
_MAX_CACHED_URLS: Final = 512
_ATTRIBUTION_FIELDS: Final = attrgetter(*Attribution.__struct_fields__)


class EventKind(msgspec.Struct, frozen=True, gc=False, cache_hash=True):
    """The columns of few values of an event. Many events share one object."""

    event_type: str
    source: str
    actor_type: str | None
    entity_type: str | None
    is_from_device: bool


class ValidEvent(msgspec.Struct, frozen=True, gc=False):
    """A valid event by its stored columns.

    Times are microseconds since 2000, UTC. UUIDs are 16 bytes, props are JSON.
    """

    event_date: date
    event_key: str
    event_id: bytes
    kind: EventKind
    occurred_at: int
    received_at: int
    actor_id: str | None
    anonymous_id: str | None
    session_id: bytes | None
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
    attribution: tuple[str | None, ...] | None  # None if no field of it is given
    notes: tuple[Note, ...] = ()


def kind_of(event_type: str, source: str | None, actor_type: str | None, entity_type: str | None) -> EventKind:
    """Return the kind of an event by its fields."""
    source = source or DEFAULT_SOURCE
    entity_type = None if entity_type is None else entity_type.lower()
    return EventKind(event_type, source, actor_type, entity_type, source in DEVICE_SOURCES)


def valid_event(
    event: Event,
    kind: EventKind,
    known: Props,
    occurred_at: int,
    received_at: int,
    session_id: bytes | None,
    event_key: str,
    props: bytes,
    canonical_hash: bytes,
    agents: UserAgentParser,
    redactor: Redactor,
    notes: tuple[Note, ...] = (),
) -> ValidEvent:
    """Return the stored form of an event that breaks no rule.

    `props` is the JSON to store, without personal data. `notes` are on fields of the event that did not count.
    """
    event_date, date_text = _day(occurred_at // MICROSECONDS_OF_DAY)
    # The stored id: a UUID of version 8 from the SHA-256 of the event's day and key.
    digest = sha256(date_text + event_key.encode()).digest()
    entity_type = kind.entity_type
    entity_id = event.entity_id
    context = event.context
    if context is None:
        device = agents.parse(known.user_agent)
    else:
        device = agents.parse(context.user_agent or known.user_agent)
        if context.device_type or context.browser or context.os:
            device = device._replace(
                device_type=redactor.text(context.device_type or "") or device.device_type,
                browser=redactor.text(context.browser or "") or device.browser,
                os=redactor.text(context.os or "") or device.os,
            )
    return ValidEvent(
        event_date,
        event_key,
        (int.from_bytes(digest[:16]) & _FREE_BITS | _VERSION_8).to_bytes(16),
        kind,
        occurred_at,
        received_at,
        event.actor_id,
        event.anonymous_id,
        session_id,
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
        None if event.attribution is None else _attribution(event.attribution, redactor),
        notes,
    )


@lru_cache(maxsize=1024)
def _day(days: int) -> tuple[date, bytes]:
    """Return a day by its number, and its text in the source of event ids."""
    event_date = from_microseconds(days * MICROSECONDS_OF_DAY).date()
    return event_date, f"{event_date.isoformat()} ".encode()


def _attribution(attribution: Attribution, redactor: Redactor) -> tuple[str | None, ...] | None:
    given = _ATTRIBUTION_FIELDS(attribution)
    # Click ids, which come last, never repeat. Everything else does, and is cached.
    if given[7:] == _NO_CLICK_IDS and len(given[5] or "") + len(given[6] or "") <= _MAX_CACHED_URLS:
        return _cached_attribution(given, redactor)
    return _redacted_attribution(given, redactor)


def _redacted_attribution(given: tuple[str | None, ...], redactor: Redactor) -> tuple[str | None, ...] | None:
    """Return the stored values of an attribution, in the order of schema.ATTRIBUTION_COLUMNS."""
    redact = redactor.text
    source, medium, campaign, *pages = (redact(text) if text else None for text in (*given[:3], *given[5:7]))
    normal = redactor.short_text
    stored = (
        source, medium, campaign,
        *[normalized_detail(text, normal) for text in given[3:5]],
        normalized_source(source, normal), normalized_name(medium, normal), normalized_name(campaign, normal),
        *pages,
        # Click ids are random text, in which anything could look like a phone number.
        *[_click_id(text, redact) if text else None for text in given[7:]],
    )  # fmt: skip
    return stored if any(stored) else None


def _click_id(text: str, redact: Callable[[str], str]) -> str | None:
    text = text.strip()
    return (redact(text) if "@" in text or "%" in text else text) or None


_cached_attribution: Final = lru_cache(maxsize=2_048)(_redacted_attribution)


def _to_milliseconds(seconds: float) -> int:
    milliseconds = int(seconds * 1_000 + 0.5)
    # Exact: no two numbers of at most three decimals are the same float.
    if milliseconds / 1_000 == seconds:
        return milliseconds
    # By its shortest text, so that 0.0005 is the number that was written and not the float just beside it.
    return int(Decimal(repr(seconds)).scaleb(3).quantize(1, ROUND_HALF_UP))
