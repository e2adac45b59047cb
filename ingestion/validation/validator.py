"""Validation of one line: a valid event, a rejected line with every reason, or not tracked. Needs no database.

Duplicates and rate limits need other lines; `ingestion.deduplication` decides on them. Where the contract is silent:

- The canonical form of an event is everything that was sent, also keys that are not known, under camelCase keys,
  sorted, compact, with both timestamps in UTC, and before anything is redacted or filled in.
- A key given twice in one object makes the line invalid, since parsers differ on which one counts.
- A field that is null or an empty text is absent. Numbers are read as 64-bit integers or floats.
- The landing day bounds `receivedAt` too: at most 24 hours after its end.
"""

from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
from typing import Any, Final, NamedTuple

import msgspec

from ingestion.contract import MAX_CLOCK_AHEAD_HOURS, MAX_LINE_BYTES, MAX_PROPS_BYTES, Event, Props
from ingestion.encryption.props import EventPropEncryptor, PropEncryption
from ingestion.landing.lines import EventArray, Unholdable
from ingestion.landing.objects import Oversized, Remainder
from ingestion.redaction import redactor_for
from ingestion.redaction.redactor import no_key
from ingestion.user_agents import user_agent_parser
from ingestion.validation.consent import declines_tracking
from ingestion.validation.event_reader import NO_PROPS, ParsedEvent, RuleViolation, parse_event, without_sessions
from ingestion.validation.event_record import ValidEvent, kind_of, valid_event
from ingestion.validation.fast_path import (
    canonical_kind,
    decode_canonical,
    encode_canonical,
    has_clean_ids,
    key_classifier,
    parse_canonical_timestamp,
    parse_canonical_uuid,
)
from ingestion.validation.id_hashing import hash_ids, may_name_person
from ingestion.validation.key_normalization import has_hidden_content
from ingestion.validation.rejections import NotTracked as NotTracked
from ingestion.validation.rejections import RejectedLine as RejectedLine
from ingestion.validation.rejections import RejectionExplainer
from ingestion.validation.timestamps import canonical_json, from_microseconds, parse_timestamp, to_microseconds
from ingestion.validation.unstorable_text import escape_line
from ingestion.validation_lists import EventRules, default_rules
from warehouse.window import ONE_DAY

_AHEAD: Final = timedelta(hours=MAX_CLOCK_AHEAD_HOURS) // timedelta(microseconds=1)

_decode: Final = msgspec.json.Decoder().decode
# Object keys in one order: the canonical form must not depend on the order in which they were sent.
_encode: Final = msgspec.json.Encoder(order="sorted").encode


class _Checked(NamedTuple):
    """A valid event with both times in microseconds, its props as JSON, and its canonical form."""

    parsed: ParsedEvent
    occurred_at: int
    received_at: int
    props_json: bytes
    canonical: bytes


class LineValidator:
    """Validator of the lines of one landing day. Keeps no state between lines.

    Events without `receivedAt` count as received when the landing day ends, UTC. They are accepted from `start_date`
    on, and from `sealed_before` on where days are sealed. By default no props are encrypted, and lists and settings are
    those of this checkout's seeds.
    """

    def __init__(
        self,
        *,
        landing_date: date,
        start_date: date,
        sealed_before: date | None = None,
        encryption: PropEncryption | None = None,
        rules: EventRules | None = None,
    ) -> None:
        rules = rules or default_rules()
        self._agents = user_agent_parser(rules.crawlers)
        self._redactor = redactor_for(rules)
        self._is_clean_text = self._redactor.is_clean_text
        self._key_traits = key_classifier(self._redactor)
        self._hash_key = rules.hash_key
        self._placeholders = rules.placeholder_ids
        self._no_sessions = without_sessions(self._placeholders)
        self._encryption = encryption
        self._is_encrypted_key = no_key if encryption is None else encryption.handles
        self._day_ends_at = datetime.combine(landing_date + ONE_DAY, time.min, UTC)
        starts_at = datetime.combine(start_date, time.min, UTC)
        unsealed_at = datetime.combine(max(start_date, sealed_before or start_date), time.min, UTC)
        self._explainer = RejectionExplainer(
            self._redactor, self._is_encrypted_key, self._placeholders, starts_at, unsealed_at, self._day_ends_at
        )
        self._first_instant = to_microseconds(unsealed_at)
        self._day_end = to_microseconds(self._day_ends_at)
        self._last_received = self._day_end + _AHEAD

    def validate(self, line: bytes) -> ValidEvent | RejectedLine | NotTracked:
        """Return the outcome of a line. Never raises, whatever the line holds."""
        return self.accept(line) or self.explain_rejection(line)

    def accept(self, line: bytes) -> ValidEvent | NotTracked | None:
        """Return the outcome of a line that breaks no rule, else None; `explain_rejection` takes longer."""
        if len(line) > MAX_LINE_BYTES:
            return None
        return self._accept_fast_path(line) or self.accept_slow_path(line)

    def accept_slow_path(self, line: bytes) -> ValidEvent | NotTracked | None:
        """Return what `accept` returns for a line of legal length, without the fast path for canonical lines."""
        try:
            document = _decode(line)
            if type(document) is dict:
                if declines_tracking(document):
                    return NotTracked()
                return self._accept(line, document)
        except (msgspec.DecodeError, ValueError, RecursionError, RuleViolation):
            pass
        escaped = escape_line(line) if b"\\u" in line else None
        return None if escaped is None else self.accept_slow_path(escaped)

    def explain_rejection(self, line: bytes) -> RejectedLine | NotTracked:
        """Return every reason against a line that `accept` returned None for."""
        return self._explainer.explain(line)

    def reject_unparsed(self, line: Oversized | EventArray | Remainder | Unholdable) -> RejectedLine | NotTracked:
        """Return the outcome of a line that was not read whole: oversized, an array, or no JSON behind its objects."""
        return self._explainer.explain_unread(line)

    def rejection_or_none(self, line: bytes) -> RejectedLine | NotTracked | None:
        """Return the outcome of a line that is not accepted, else None. Costs writers half of `validate`."""
        try:
            document = _decode(line)
            if len(line) <= MAX_LINE_BYTES and type(document) is dict and not declines_tracking(document):
                self._check(line, document)
                return None
        except (msgspec.DecodeError, ValueError, RecursionError, RuleViolation):
            pass
        return None if isinstance(outcome := self.validate(line), ValidEvent) else outcome

    def _accept_fast_path(self, line: bytes) -> ValidEvent | None:
        """Return the event of a canonical line, or None where the slow path has to decide."""
        try:
            event = decode_canonical(line)
            if event is None or (kind := canonical_kind(event)) is None or not has_clean_ids(event, self._placeholders):
                return None
            occurred_at, event.occurred_at = parse_canonical_timestamp(event.occurred_at)
            if event.received_at is None:
                received_at = self._day_end
            else:
                received_at, event.received_at = parse_canonical_timestamp(event.received_at)
            if not self._has_consistent_fields(event, occurred_at, received_at):
                return None
            session_id = None if event.session_id is None else parse_canonical_uuid(event.session_id)
            if session_id in self._no_sessions:
                return None
            props = event.props
            known = NO_PROPS
            clean = True
            if props is None:
                props_json = b"{}"
            else:
                props_json = _encode(props)
                if len(props_json) > MAX_PROPS_BYTES:
                    return None
                keys = self._key_traits(tuple(props))
                if not keys.are_camel:
                    return None
                if keys.are_ruled:
                    known = msgspec.convert(props, Props)
                clean = keys.are_free and self._is_clean_text(props_json, len(props))
                event.props = msgspec.Raw(props_json)
        except (msgspec.DecodeError, ValueError, RecursionError, RuleViolation):
            return None
        canonical = encode_canonical(event)
        # A key was given twice: see has_hidden_content.
        if line.count(b'"') != canonical.count(b'"'):
            return None
        canonical_hash = sha256(canonical).digest()
        notes = hash_ids(event, self._hash_key) if may_name_person(line, event) else ()
        event_key = event.idempotency_key or event.event_id or canonical_hash.hex()
        if props is not None and not (clean and self._encryption is None):
            props_json = self._redacted(props, props_json, clean, occurred_at, event_key)
        return valid_event(
            event, kind, known, occurred_at, received_at, session_id, event_key, props_json, canonical_hash,
            self._agents, self._redactor, notes,
        )  # fmt: skip

    def _accept(self, line: bytes, document: dict[str, Any]) -> ValidEvent:
        """Return the event of a document, which this method may change. Raises when any rule is broken."""
        parsed, occurred_at, received_at, props_json, canonical = self._check(line, document)
        event, known, props, notes = parsed.event, parsed.known, parsed.props, parsed.notes
        kind = kind_of(event.event_type, event.source, event.actor_type, event.entity_type)
        session_id = None if event.session_id is None else event.session_id.bytes
        canonical_hash = sha256(canonical).digest()
        notes += hash_ids(event, self._hash_key)
        event_key = event.idempotency_key or event.event_id or canonical_hash.hex()
        clean = self._redactor.is_clean(props, props_json)
        props_json = self._redacted(props, props_json, clean, occurred_at, event_key)
        return valid_event(
            event, kind, known, occurred_at, received_at, session_id, event_key, props_json, canonical_hash,
            self._agents, self._redactor, notes,
        )  # fmt: skip

    def _redacted(
        self, props: dict[str, Any], props_json: bytes, clean: bool, occurred_at: int, event_key: str
    ) -> bytes:
        """Return the JSON of an event's props, redacted and encrypted."""
        encryption = self._encryption
        if clean and (encryption is None or not any(map(self._is_encrypted_key, props))):
            return props_json
        event_date = from_microseconds(occurred_at).date()
        encryptor = None if encryption is None else EventPropEncryptor(encryption, event_date, event_key)
        return _encode(self._redactor.value(props, encryptor))

    def _check(self, line: bytes, document: dict[str, Any]) -> _Checked:
        """Check a document, which this method may change, against every rule. Raises when any is broken."""
        parsed = parse_event(document, self._placeholders)
        event, sent = parsed.event, parsed.sent
        occurred = parse_timestamp(event.occurred_at)
        received = self._day_ends_at if event.received_at is None else parse_timestamp(event.received_at)
        occurred_at, received_at = to_microseconds(occurred), to_microseconds(received)
        if not self._has_consistent_fields(event, occurred_at, received_at):
            raise RuleViolation
        props_json = sent_props = _encode(parsed.props)
        if sent.get("props") is not parsed.props and isinstance(sent.get("props"), dict):
            sent_props = _encode(sent["props"])
        if len(sent_props) > MAX_PROPS_BYTES:
            raise RuleViolation

        sent["occurredAt"] = canonical_json(occurred)
        if event.received_at is not None:
            sent["receivedAt"] = canonical_json(received)
        if isinstance(sent.get("props"), dict):
            sent["props"] = msgspec.Raw(sent_props)
        canonical = _encode(sent)
        if has_hidden_content(line, canonical):
            raise RuleViolation
        return _Checked(parsed, occurred_at, received_at, props_json, canonical)

    def _has_consistent_fields(self, event: Event, occurred_at: int, received_at: int) -> bool:
        """Return True if both times are in range and in order, and `entityId` comes with `entityType`."""
        # One method for both rules saves a call on every line.
        return (
            self._first_instant <= occurred_at <= received_at + _AHEAD
            and received_at <= self._last_received
            and (event.entity_id is None or event.entity_type is not None)
        )
