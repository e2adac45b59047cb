"""A line of a landing file to its outcome: accepted, rejected with every reason, or not tracked. One line at a time
and without a database: duplicates and rate limits need the other lines and are found in resolution/.

Where the contract is silent:

- The canonical form of an event is everything that was sent, also keys that are not known, under camelCase keys,
  sorted, compact, with both timestamps in UTC, and before anything is redacted or filled in.
- A key that stands twice in one object makes the line unusable, since parsers differ on which one counts.
- A field that is null or an empty text is absent. Numbers are read as 64-bit integers or floats.
- The landing day bounds `receivedAt` too: at most 24 hours after its end.
"""

import re
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
from typing import Any, Final

import msgspec

from ingestion.contract import (
    MAX_CLOCK_AHEAD_HOURS,
    MAX_LINE_BYTES,
    MAX_PROPS_BYTES,
    Event,
    Props,
)
from ingestion.encryption.props import PropEncryption
from ingestion.enrichment import user_agent_parser
from ingestion.event_rules import EventRules, default_rules
from ingestion.landing.lines import EventArray
from ingestion.landing.objects import Oversized, Remainder
from ingestion.privacy import is_clean, is_clean_text, nothing, redact_value
from ingestion.validation.diagnosis import AN_ARRAY, TOO_DEEP, Unreadable, diagnose, read_document
from ingestion.validation.plain import (
    encode_plain,
    plain_instant,
    plain_keys,
    plain_kind,
    plain_session_id,
    read_plain,
)
from ingestion.validation.rejection import redact_line
from ingestion.validation.spelling import declines_tracking, has_duplicate_keys, is_camel, spell
from ingestion.validation.stored import Accepted, accepted_event, kind_of
from ingestion.validation.timestamps import canonical_json, from_microseconds, parse_timestamp, to_microseconds
from ingestion.window import ONE_DAY

_AHEAD: Final = timedelta(hours=MAX_CLOCK_AHEAD_HOURS) // timedelta(microseconds=1)
_TOO_LONG: Final = f"line: longer than {MAX_LINE_BYTES} bytes"
_NOT_READ: Final = {
    EventArray: AN_ARRAY,
    Oversized: _TOO_LONG,
    Remainder: "line: not JSON from here on; the objects before it were read",
}

_decode: Final = msgspec.json.Decoder().decode
# Object keys in one order: the canonical form must not depend on the order in which they were sent.
_encode: Final = msgspec.json.Encoder(order="sorted").encode
# A NUL as JSON spells it: the escape after an even number of backslashes.
_NUL: Final = re.compile(rb"(?<!\\)(?:\\\\)*+\\u0000")
_TEXT: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"')
_NO_PROPS: Final = Props()


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
    day of the warehouse. `encryption` says which props are encrypted; without it none are. `rules` holds the lists and
    settings; without it those of this checkout's seeds count.
    """

    def __init__(
        self,
        *,
        landing_date: date,
        start_date: date,
        encryption: PropEncryption | None = None,
        rules: EventRules | None = None,
    ) -> None:
        self._rules = rules or default_rules()
        self._agents = user_agent_parser(self._rules.crawlers)
        self._encryption = encryption
        self._is_covered = nothing if encryption is None else encryption.covers
        self._day_ends_at = datetime.combine(landing_date + ONE_DAY, time.min, UTC)
        self._starts_at = datetime.combine(start_date, time.min, UTC)
        self._first_instant = to_microseconds(self._starts_at)
        self._day_end = to_microseconds(self._day_ends_at)
        self._last_received = self._day_end + _AHEAD

    def reject_unread(self, line: Oversized | EventArray | Remainder) -> Rejected:
        """The outcome of what was not read whole: a line that is too long, an array of events over many lines, or what
        follows the objects of a line and is none."""
        reason = _NOT_READ[type(line)]
        return Rejected(redact_line(line.head, self._is_covered), line.line_bytes, (reason,))

    def validate(self, line: bytes) -> Accepted | Rejected | NotTracked:
        """The one outcome of a line. Never raises on what the line holds."""
        return self.accept(line) or self.examine(line)

    def accept(self, line: bytes) -> Accepted | NotTracked | None:
        """The outcome of a line that breaks no rule; None for one that has to be examined, which takes several
        times as long."""
        if len(line) > MAX_LINE_BYTES:
            return None
        return self._accept_plain(line) or self.accept_carefully(line)

    def accept_carefully(self, line: bytes) -> Accepted | NotTracked | None:
        """The same for a line of a legal length, without the quick way for those that are plainly events."""
        try:
            document = _decode(line)
            if type(document) is dict:
                if declines_tracking(document):
                    return NotTracked()
                return self._accept(line, document)
        except (msgspec.DecodeError, ValueError, RecursionError, _Unacceptable):
            pass  # for the diagnosis, which reads the line anew
        return None

    def examine(self, line: bytes) -> Rejected | NotTracked:
        """What is wrong with a line that is not accepted."""
        if len(line) > MAX_LINE_BYTES:
            return Rejected(redact_line(line, self._is_covered), len(line), (_TOO_LONG,))
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

    def _accept_plain(self, line: bytes) -> Accepted | None:
        """The event of a line that is plainly one; None where the careful way has to say what the line is."""
        try:
            event = read_plain(line)
            if event is None or (kind := plain_kind(event)) is None:
                return None
            occurred_at, event.occurred_at = plain_instant(event.occurred_at)
            if event.received_at is None:
                received_at = self._day_end
            else:
                received_at, event.received_at = plain_instant(event.received_at)
            if not self._can_be(event, occurred_at, received_at):
                return None
            session_id = None if event.session_id is None else plain_session_id(event.session_id)
            props = event.props
            known = _NO_PROPS
            clean = True
            if props is None:
                props_json = b"{}"
            else:
                props_json = _encode(props)
                if len(props_json) > MAX_PROPS_BYTES:
                    return None
                keys = plain_keys(tuple(props))
                if not keys.are_camel:
                    return None
                if keys.are_ruled:
                    known = msgspec.convert(props, Props)
                clean = keys.are_free and is_clean_text(props_json)
                event.props = msgspec.Raw(props_json)
        except (msgspec.DecodeError, ValueError, RecursionError, _Unacceptable):
            return None
        canonical = encode_plain(event)
        # A key that stands twice: see _refuse_hidden.
        if line.count(b'"') != canonical.count(b'"'):
            return None
        canonical_hash = sha256(canonical).digest()
        event_key = event.idempotency_key or event.event_id or canonical_hash.hex()
        if props is not None and not (clean and self._encryption is None):
            props_json = self._redacted(props, props_json, clean, occurred_at, event_key)
        return accepted_event(
            event, kind, known, occurred_at, received_at, session_id, event_key, props_json, canonical_hash,
            self._agents,
        )  # fmt: skip

    def _accept(self, line: bytes, document: dict[str, Any]) -> Accepted:
        """The event of a document that this method may change. Raises when any rule is broken."""
        event, known, occurred_at, received_at, props, props_json, canonical = self._check(line, document)
        kind = kind_of(event.event_type, event.source, event.actor_type, event.entity_type)
        session_id = None if event.session_id is None else event.session_id.bytes
        canonical_hash = sha256(canonical).digest()
        event_key = event.idempotency_key or event.event_id or canonical_hash.hex()
        props_json = self._redacted(props, props_json, is_clean(props, props_json), occurred_at, event_key)
        return accepted_event(
            event, kind, known, occurred_at, received_at, session_id, event_key, props_json, canonical_hash,
            self._agents,
        )  # fmt: skip

    def _redacted(
        self, props: dict[str, Any], props_json: bytes, clean: bool, occurred_at: int, event_key: str
    ) -> bytes:
        """The JSON of an event's props without personal data, the named ones encrypted."""
        encryption = self._encryption
        if clean and (encryption is None or not any(map(self._is_covered, props))):
            return props_json
        event_date = from_microseconds(occurred_at).date()
        sealer = None if encryption is None else encryption.for_event(event_date, event_key)
        return _encode(redact_value(props, sealer))

    def _check(
        self, line: bytes, document: dict[str, Any]
    ) -> tuple[Event, Props, int, int, dict[str, Any], bytes, bytes]:
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

        occurred = parse_timestamp(event.occurred_at)
        received = self._day_ends_at if event.received_at is None else parse_timestamp(event.received_at)
        occurred_at, received_at = to_microseconds(occurred), to_microseconds(received)
        if not self._can_be(event, occurred_at, received_at):
            raise _Unacceptable
        props: dict[str, Any] = document.get("props") or {}
        props_json = _encode(props)
        if len(props_json) > MAX_PROPS_BYTES:
            raise _Unacceptable

        document["occurredAt"] = canonical_json(occurred)
        if event.received_at is not None:
            document["receivedAt"] = canonical_json(received)
        if event.props is not None:
            document["props"] = msgspec.Raw(props_json)
        canonical = _encode(document)
        _refuse_hidden(line, canonical)
        return event, known, occurred_at, received_at, props, props_json, canonical

    def _can_be(self, event: Event, occurred_at: int, received_at: int) -> bool:
        """Whether times can both be, and an entity has a type."""
        return (
            self._first_instant <= occurred_at <= received_at + _AHEAD
            and received_at <= self._last_received
            and (event.entity_id is None or event.entity_type is not None)
        )


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
