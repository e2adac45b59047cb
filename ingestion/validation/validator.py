"""A line of a landing file to its outcome: accepted, rejected with every reason, or not tracked. One line at a time
and without a database: duplicates and rate limits need the other lines and are found in loading.py.

Where the contract is silent:

- The canonical form of an event is everything that was sent, also keys that are not known, under camelCase keys,
  sorted, compact, with both timestamps in UTC, and before anything is redacted or filled in.
- A key that stands twice in one object makes the line unusable, since parsers differ on which one counts.
- A field that is null or an empty text is absent. Numbers are read as 64-bit integers or floats.
- The landing day bounds `receivedAt` too: at most 24 hours after its end.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any, Final

import msgspec

from ingestion.contract import (
    MAX_CLOCK_AHEAD_HOURS,
    MAX_LINE_BYTES,
    MAX_PROPS_BYTES,
    Attribution,
    Event,
    Props,
)
from ingestion.encryption.props import PropEncryption
from ingestion.landing.lines import EventArray, Oversized
from ingestion.privacy import is_clean, nothing, redact_value
from ingestion.validation.diagnosis import AN_ARRAY, TOO_DEEP, Unreadable, diagnose, read_document
from ingestion.validation.plain import canonical_plain, read_plain
from ingestion.validation.rejection import redact_line
from ingestion.validation.spelling import declines_tracking, has_duplicate_keys, is_camel, spell
from ingestion.validation.stored import StoredEvent, stored_event
from ingestion.validation.timestamps import canonical_json, parse_timestamp
from ingestion.window import ONE_DAY

_AHEAD: Final = timedelta(hours=MAX_CLOCK_AHEAD_HOURS)
_TOO_LONG: Final = f"line: longer than {MAX_LINE_BYTES} bytes"

_decode: Final = msgspec.json.Decoder().decode
# Object keys in one order: the canonical form must not depend on the order in which they were sent.
_encode: Final = msgspec.json.Encoder(order="sorted").encode
# A NUL as JSON spells it: the escape after an even number of backslashes.
_NUL: Final = re.compile(rb"(?<!\\)(?:\\\\)*+\\u0000")
_TEXT: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"')
_NO_PROPS: Final = Props()
_NO_ATTRIBUTION: Final = (None,) * len(Attribution.__struct_fields__)


_ENGAGEMENT: Final = StoredEvent.__struct_fields__.index("engagement_milliseconds")


@dataclass(slots=True, match_args=False)
class Accepted:
    """A usable event."""

    event: StoredEvent
    __match_args__ = ("values",)

    @property
    def values(self) -> tuple[Any, ...]:
        """What is stored, in the order of schema.CANDIDATE_COLUMN_NAMES, as Python objects."""
        milliseconds = self.event.engagement_milliseconds
        return (
            *msgspec.structs.astuple(self.event)[:_ENGAGEMENT],
            None if milliseconds is None else Decimal(milliseconds).scaleb(-3),
            self.event.props.decode(),
            *self.event.device,
            self.event.canonical_hash,
            *(self.event.attribution or _NO_ATTRIBUTION),
        )


class Rejected(msgspec.Struct, frozen=True, gc=False):
    """A line that cannot be used: its redacted text, its length as it was read, and every reason."""

    line: str
    line_bytes: int
    reasons: tuple[str, ...]


class NotTracked(msgspec.Struct, frozen=True, gc=False):
    """An event of a person who declined tracking: counted, and stored in no form."""


class _Unacceptable(Exception):
    """A rule that the types cannot express is broken; which one is for the diagnosis to say."""


class LineValidator:
    """Judges the lines of one landing day. Keeps no state between lines.

    `landing_date` gives events without `receivedAt` theirs: the next midnight UTC. `start_date` is the first event
    day of the warehouse. `encryption` says which props are encrypted; without it none are.
    """

    def __init__(self, *, landing_date: date, start_date: date, encryption: PropEncryption | None = None) -> None:
        self._encryption = encryption
        self._is_covered = nothing if encryption is None else encryption.covers
        self._day_ends_at = datetime.combine(landing_date + ONE_DAY, time.min, UTC)
        self._starts_at = datetime.combine(start_date, time.min, UTC)

    def reject_unread(self, line: Oversized | EventArray) -> Rejected:
        """The outcome of what was not read whole: a line that is too long, or an array of events over many lines."""
        reason = AN_ARRAY if isinstance(line, EventArray) else _TOO_LONG
        return Rejected(redact_line(line.head, self._is_covered), line.line_bytes, (reason,))

    def validate(self, line: bytes) -> Accepted | Rejected | NotTracked:
        """The one outcome of a line. Never raises on what the line holds."""
        if len(line) > MAX_LINE_BYTES:
            return Rejected(redact_line(line, self._is_covered), len(line), (_TOO_LONG,))
        return self._accept_plain(line) or self.validate_carefully(line)

    def validate_carefully(self, line: bytes) -> Accepted | Rejected | NotTracked:
        """The outcome of a line of a legal length, without the quick way for those that are plainly events."""
        try:
            document = _decode(line)
            if type(document) is dict:
                if declines_tracking(document):
                    return NotTracked()
                return self._accept(line, document)
        except (msgspec.DecodeError, ValueError, RecursionError, _Unacceptable):
            pass  # for the diagnosis, which reads the line anew
        return self._examine(line)

    def refuse(self, line: bytes) -> Rejected | NotTracked | None:
        """The outcome of a line if it is not accepted, else None: for those who write lines, at half the cost."""
        try:
            document = _decode(line)
            if len(line) <= MAX_LINE_BYTES and type(document) is dict and not declines_tracking(document):
                self._check(line, document)
                return None
        except (msgspec.DecodeError, ValueError, RecursionError, _Unacceptable):
            pass
        outcome = self.validate(line)
        return None if isinstance(outcome, Accepted) else outcome

    def _examine(self, line: bytes) -> Rejected | NotTracked:
        try:
            document = read_document(line)
            if isinstance(document, dict) and declines_tracking(document):
                return NotTracked()
            reasons = diagnose(line, document, starts_at=self._starts_at, day_ends_at=self._day_ends_at)
        except Unreadable as unreadable:
            reasons = (str(unreadable),)
        except RecursionError:
            reasons = (TOO_DEEP,)
        # A line is refused for a reason; should the diagnosis find none, it is refused all the same, and shows.
        reasons = reasons or ("line: not an event of the contract",)
        return Rejected(redact_line(line, self._is_covered), len(line), reasons)

    def _accept_plain(self, line: bytes) -> Accepted | None:
        """The event of a line that is plainly one; None where the careful way has to say what the line is."""
        try:
            event = read_plain(line)
            if event is None:
                return None
            known = _NO_PROPS if event.props is None else msgspec.convert(event.props, Props)
            occurred_at, received_at = self._between_fields(event)
        except (msgspec.DecodeError, ValueError, RecursionError, _Unacceptable):
            return None
        props: dict[str, Any] = event.props or {}
        props_json = _encode(props)
        if len(props_json) > MAX_PROPS_BYTES:
            return None
        canonical = canonical_plain(event, canonical_json(occurred_at), canonical_json(received_at), props_json)
        # A key that stands twice: see _refuse_hidden.
        if line.count(b'"') != canonical.count(b'"'):
            return None
        session_id = None if event.session_id is None else bytes.fromhex(event.session_id.replace("-", ""))
        return self._stored(event, known, occurred_at, received_at, session_id, props, props_json, canonical)

    def _accept(self, line: bytes, document: dict[str, Any]) -> Accepted:
        """The event of a document that this method may change. Raises when any rule is broken."""
        event, known, occurred_at, received_at, props, props_json, canonical = self._check(line, document)
        session_id = None if event.session_id is None else event.session_id.bytes
        return self._stored(event, known, occurred_at, received_at, session_id, props, props_json, canonical)

    def _stored(
        self,
        event: Event,
        known: Props,
        occurred_at: datetime,
        received_at: datetime,
        session_id: bytes | None,
        props: dict[str, Any],
        props_json: bytes,
        canonical: bytes,
    ) -> Accepted:
        """An event as it is stored: under its key, and without personal data."""
        canonical_hash = sha256(canonical).digest()
        event_key = event.idempotency_key or event.event_id or canonical_hash.hex()
        if not is_clean(props, props_json) or (self._encryption and any(map(self._is_covered, props))):
            encryption = self._encryption
            sealer = None if encryption is None else encryption.for_event(occurred_at.date(), event_key)
            props_json = _encode(redact_value(props, sealer))
        return Accepted(
            stored_event(event, known, occurred_at, received_at, session_id, event_key, props_json, canonical_hash)
        )

    def _check(
        self, line: bytes, document: dict[str, Any]
    ) -> tuple[Event, Props, datetime, datetime, dict[str, Any], bytes, bytes]:
        """Every rule. Returns the event, its known props, both times, all props, these as JSON, the canonical form."""
        try:
            if not is_camel(document):
                raise _Unacceptable
            event = msgspec.convert(document, Event)
            known = _known_props(event, document)
        except (msgspec.ValidationError, _Unacceptable):
            # Another spelling of the same: snake_case, null and empty texts. What still does not fit raises.
            document, present, conflicts = spell(document)
            if conflicts:
                raise _Unacceptable from None
            event = msgspec.convert(present, Event)
            known = _known_props(event, present)

        occurred_at, received_at = self._between_fields(event)
        props: dict[str, Any] = document.get("props") or {}
        props_json = _encode(props)
        if len(props_json) > MAX_PROPS_BYTES:
            raise _Unacceptable

        document["occurredAt"] = canonical_json(occurred_at)
        if event.received_at is not None:
            document["receivedAt"] = canonical_json(received_at)
        if event.props is not None:
            document["props"] = msgspec.Raw(props_json)
        canonical = _encode(document)
        _refuse_hidden(line, canonical)
        return event, known, occurred_at, received_at, props, props_json, canonical

    def _between_fields(self, event: Event) -> tuple[datetime, datetime]:
        """When the event occurred and was received, UTC. Raises _Unacceptable when they cannot both be, and for an
        entity without a type; ValueError for a time that does not exist."""
        if event.entity_id is not None and event.entity_type is None:
            raise _Unacceptable
        occurred_at = parse_timestamp(event.occurred_at)
        received_at = self._day_ends_at if event.received_at is None else parse_timestamp(event.received_at)
        if occurred_at < self._starts_at:
            raise _Unacceptable
        # Few events need the arithmetic.
        if not occurred_at <= received_at <= self._day_ends_at and (
            occurred_at - received_at > _AHEAD or received_at - self._day_ends_at > _AHEAD
        ):
            raise _Unacceptable
        return occurred_at, received_at


def _known_props(event: Event, document: dict[str, Any]) -> Props:
    return _NO_PROPS if event.props is None else msgspec.convert(document["props"], Props)


def _refuse_hidden(line: bytes, canonical: bytes) -> None:
    """Raise _Unacceptable for what decoding hides: keys that stand twice, and NUL characters.

    A key that got lost makes the canonical form have fewer of them. Without a backslash in the line every quote begins
    or ends a text, and a key has two; otherwise keys are the colons that stand outside of texts. Only where the numbers
    differ is the line read the slow way: two spellings of one key, for one, are no duplicates.
    """
    if b"\\" in line:
        if _NUL.search(canonical) is not None:
            raise _Unacceptable
        is_complete = _TEXT.sub(b"", line).count(b":") == _TEXT.sub(b"", canonical).count(b":")
    else:
        is_complete = line.count(b'"') == canonical.count(b'"')
    if not is_complete and has_duplicate_keys(line.decode()):
        raise _Unacceptable
