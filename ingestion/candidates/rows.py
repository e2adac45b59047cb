"""Validated events and rejected lines as rows of Postgres's binary COPY format: half the CPU of text for the server,
and packed by hand a third of what the driver needs. Which table a row goes to is decided in intake.py.

Columns come in an order that is quick to write, and every row ends with its place: the load and the line that it comes
from.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from struct import Struct
from typing import Any, Final

from ingestion.schema import ATTRIBUTION_COLUMN_NAMES

# What a COPY in binary format begins and ends with.
SIGNATURE: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER: Final = b"\xff\xff"

_PLACE_COLUMNS: Final = ("load_id", "line_number")
# What tells an event, and the attribution of it, from all others; the key is the only one of them with a length.
_IDENTITY: Final = ("event_date", "event_key", "event_id")
_EVENT: Final = (
    *_IDENTITY, "event_type", "source", "actor_type", "entity_type", "device_type", "browser", "os", "is_bot",
    "occurred_at", "received_at", "actor_id", "anonymous_id", "session_id", "entity_id", "ip_asset_id", "project_id",
    "license_id", "revenue_cents", "fee_cents", "engagement_time", "props", "canonical_hash",
)  # fmt: skip
EVENT_COLUMN_LIST: Final = ", ".join((*_EVENT, *_PLACE_COLUMNS))
ATTRIBUTION_COLUMN_LIST: Final = ", ".join((*ATTRIBUTION_COLUMN_NAMES, *_IDENTITY, *_PLACE_COLUMNS))
CANDIDATE_COLUMN_LIST: Final = ", ".join((*_EVENT, *ATTRIBUTION_COLUMN_NAMES, *_PLACE_COLUMNS))
REJECTED_COLUMN_LIST: Final = "line, line_bytes, reasons, load_id, line_number"

_NULL: Final = b"\xff\xff\xff\xff"
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_EPOCH_DAY: Final = _EPOCH.toordinal()
_DAY: Final = Struct(">ii").pack
_BIGINT: Final = Struct(">iq").pack
_BOOLEAN: Final = (b"\0\0\0\1\0", b"\0\0\0\1\1")
_UUID_LENGTH: Final = b"\0\0\0\x10"
_HASH_LENGTH: Final = b"\0\0\0\x20"
# Four groups of four digits, the last behind the point, hold every number of seconds that the contract allows.
_NUMERIC: Final = Struct(">ihhhhhhhh").pack
_PLACE: Final = Struct(">iqiq")
# A row begins with the number of its columns.
_EVENT_HEADER: Final = (EVENT_COLUMN_LIST.count(",") + 1).to_bytes(2)
_ATTRIBUTION_HEADER: Final = (ATTRIBUTION_COLUMN_LIST.count(",") + 1).to_bytes(2)
_CANDIDATE_HEADER: Final = (CANDIDATE_COLUMN_LIST.count(",") + 1).to_bytes(2)
_NO_ATTRIBUTION: Final = _NULL * len(ATTRIBUTION_COLUMN_NAMES)
_REJECTED_HEADER: Final = b"\0\5"
# One dimension, no nulls, elements of type text (25), numbered from 1.
_ARRAY: Final = Struct(">iiiii").pack
_TEXT_OID: Final = 25


def _text(value: str | None) -> bytes:
    if value is None:
        return _NULL
    encoded = value.encode()
    return len(encoded).to_bytes(4) + encoded


def _json(value: str) -> bytes:
    encoded = value.encode()
    # A jsonb begins with the version of its format.
    return (len(encoded) + 1).to_bytes(4) + b"\1" + encoded


@lru_cache(maxsize=1024)
def _date(value: date) -> bytes:
    return _DAY(4, value.toordinal() - _EPOCH_DAY)


def _instant(value: datetime) -> bytes:
    since = value - _EPOCH
    return _BIGINT(8, (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds)


def _bytes(value: bytes) -> bytes:
    return len(value).to_bytes(4) + value


def _bigint(value: int | None) -> bytes:
    return _NULL if value is None else _BIGINT(8, value)


def _seconds(value: Decimal | None) -> bytes:
    if value is None:
        return _NULL
    whole, thousandths = divmod(int(value.scaleb(3)), 1_000)
    return _NUMERIC(16, 4, 2, 0, 3, whole // 100_000_000, whole // 10_000 % 10_000, whole % 10_000, thousandths * 10)


@lru_cache(maxsize=16_384)
def _words(*values: str | None) -> bytes:
    """Texts of few values, which come together again and again: to look them up costs less than to encode them."""
    return b"".join(map(_text, values))


def place(load_id: int, line_number: int) -> bytes:
    """Where a row comes from."""
    return _PLACE.pack(8, load_id, 8, line_number)


def event_row(values: Sequence[Any], at: bytes) -> tuple[bytes, bytes | None]:
    """The rows of raw.events and, where there is one, raw.attribution of an event, by the values of Accepted."""
    (
        event_date, event_key, event_id, event_type, occurred_at, received_at, source, actor_id, actor_type,
        anonymous_id, session_id, entity_type, entity_id, ip_asset_id, project_id, license_id, revenue_cents, fee_cents,
        engagement_time, props, device_type, browser, os, is_bot, canonical_hash, *attribution,
    ) = values  # fmt: skip
    identity = _date(event_date) + _text(event_key) + _UUID_LENGTH + event_id
    event = b"".join(
        (
            _EVENT_HEADER,
            identity,
            _words(event_type, source, actor_type, entity_type, device_type, browser, os),
            _BOOLEAN[is_bot],
            _instant(occurred_at),
            _instant(received_at),
            _text(actor_id),
            _text(anonymous_id),
            _NULL if session_id is None else _UUID_LENGTH + session_id,
            _text(entity_id),
            _text(ip_asset_id),
            _text(project_id),
            _text(license_id),
            _bigint(revenue_cents),
            _bigint(fee_cents),
            _seconds(engagement_time),
            _json(props),
            _HASH_LENGTH,
            canonical_hash,
            at,
        )
    )
    if not any(attribution):
        return event, None
    own = _words(*attribution[:5]) + b"".join(map(_text, attribution[5:]))
    return event, b"".join((_ATTRIBUTION_HEADER, own, identity, at))


def candidate_row(event: bytes, attribution: bytes | None) -> bytes:
    """The row of the table contenders that says what these two say."""
    if attribution is None:
        return b"".join((_CANDIDATE_HEADER, event[2 : -_PLACE.size], _NO_ATTRIBUTION, event[-_PLACE.size :]))
    # Before its place an attribution row ends with the date, the key and the id, which the event row begins with.
    identity = 8 + 4 + int.from_bytes(event[10:14]) + 20
    own = attribution[2 : -_PLACE.size - identity]
    return b"".join((_CANDIDATE_HEADER, event[2 : -_PLACE.size], own, event[-_PLACE.size :]))


def rejected_row(line: str, line_bytes: int, reasons: Sequence[str], at: bytes) -> bytes:
    """The row of a rejected line."""
    texts = _ARRAY(1, 0, _TEXT_OID, len(reasons), 1) + b"".join(map(_text, reasons))
    return b"".join((_REJECTED_HEADER, _text(line), _BIGINT(8, line_bytes), _bytes(texts), at))
