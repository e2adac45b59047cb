"""Timestamps of events, converted to UTC. validator.py checks their range.

An offset is required. Digits beyond the microsecond are cut off, never rounded, so that the last instant of a day
stays on its day. A leap second (:60) is rejected, because neither Python nor Postgres can separate it from the next
minute. 24:00 is rejected, because it equals the next day's 00:00.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from ingestion.contract import Timestamp, expectation

_encode: Final = msgspec.json.Encoder().encode
MICROSECONDS_OF_MINUTE: Final = 60_000_000
MICROSECONDS_OF_DAY: Final = 86_400_000_000
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_WITHOUT_OFFSET: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]+)?)?)?")
_LEAP_SECOND: Final = re.compile(r"[0-9-]{10}[Tt ][0-9]{2}:[0-9]{2}:60")


def parse_timestamp(text: str) -> datetime:
    """Return the instant in UTC, to the microsecond, of a text that fits contract.Timestamp.

    Raises ValueError when the calendar or the clock has no such time, or UTC has it outside the years 1 to 9999.
    """
    moment = datetime.fromisoformat(text.upper())
    if moment.tzinfo is UTC:
        return moment
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("outside the years 1 to 9999") from error


def canonical_json(moment: datetime) -> msgspec.Raw:
    """Return the JSON text of an instant in UTC, equal to datetime.isoformat, in a fifth of its time."""
    return msgspec.Raw(_encode(moment)[:-2] + b'+00:00"')


def to_microseconds(moment: datetime) -> int:
    """Return an instant as Postgres stores it: microseconds since 2000 began, UTC."""
    return (moment - _EPOCH) // _MICROSECOND


def from_microseconds(microseconds: int) -> datetime:
    """Return the instant, in UTC, of microseconds since 2000."""
    return _EPOCH + timedelta(microseconds=microseconds)


def timestamp_reason(text: str) -> str | None:
    """Return the reason why a text is no timestamp, or None if it is one."""
    if _WITHOUT_OFFSET.fullmatch(text):
        return "no offset"
    if _LEAP_SECOND.match(text):
        return "a leap second; send second 59"
    try:
        msgspec.convert(text, Timestamp)
    except (msgspec.ValidationError, UnicodeError):
        return f"not {expectation(Timestamp)}"
    try:
        parse_timestamp(text)
    except ValueError:
        return "not a time that exists in the years 0001 to 9999, UTC"
    return None
