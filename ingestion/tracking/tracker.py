"""Takes the events of a producer, judges them by the contract, and hands them on as lines.

Whatever it is given, it raises nothing: what goes wrong here must not go wrong in the code that is tracked.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from types import TracebackType
from typing import Any, Final, NamedTuple, Protocol
from uuid import uuid4

import msgspec

from ingestion.event_rules import EventRules, default_rules
from ingestion.redaction import redactor_for
from ingestion.tracking.context import TrackingContext
from ingestion.tracking.json_form import JsonForm, without_addresses
from ingestion.tracking.redacted_event import EventRedaction
from ingestion.validation.consent import declines_tracking
from ingestion.validation.event_reader import is_placeholder
from ingestion.validation.key_normalization import is_camel, spell
from ingestion.validation.validator import LineValidator, NotTracked, Rejected

MAX_BATCH: Final = 50
DO_NOT_TRACK: Final = "doNotTrack: the person has declined"

# Reasons name fields and rules and quote nothing, so there are few; a producer that finds more has said enough.
_MAX_LOGGED: Final = 100
_log: Final = logging.getLogger(__name__)
_encode: Final = msgspec.json.Encoder().encode


class Sink(Protocol):
    """Where lines go: a LandingWriter, or a list in a test."""

    def write(self, line: bytes, arrived_at: datetime) -> bool:
        """Take a line without its line end; False when it cannot be taken any more."""

    def flush(self) -> object:
        """Bring what was taken to where it belongs."""

    def close(self) -> None:
        """Flush, and take no more."""


class Tracked(NamedTuple):
    """What became of one event. A retry passes `event_id` as its idempotency key and the same `occurred_at`.

    `reasons` is empty if the event was tracked; else it names every field and rule that stood against it.
    """

    tracked: bool
    event_id: str | None = None
    occurred_at: str | None = None
    reasons: tuple[str, ...] = ()


class TrackedBatch(NamedTuple):
    """What became of a batch: one result an event, in order; or none, and the reasons against the batch."""

    results: tuple[Tracked, ...] = ()
    reasons: tuple[str, ...] = ()

    @property
    def tracked(self) -> int:
        """The number of events that were tracked."""
        return sum(result.tracked for result in self.results)


def _now() -> datetime:
    return datetime.now(UTC)


def _new_key() -> str:
    return str(uuid4())


class Tracker:
    """Tracks events into a sink, from any number of threads. Closing it closes the sink.

    `start_date` is the first day of which the warehouse takes events, if the producer knows it. `clock` says when an
    event arrives, in UTC, and `new_key` gives an event its key where the producer has none. `rules` holds the
    warehouse's lists; without it those of this checkout's seeds count.

    What is personal is redacted before it is written. With `hash_key`, the warehouse's WAREHOUSE_HASH_KEY, ids that are
    e-mail addresses or phone numbers are hashed, else they are written as they came. `encrypted_props` names what the
    warehouse encrypts, which is written as it came.
    """

    def __init__(
        self,
        sink: Sink,
        *,
        start_date: date = date.min,
        clock: Callable[[], datetime] = _now,
        new_key: Callable[[], str] = _new_key,
        rules: EventRules | None = None,
        hash_key: str = "",
        encrypted_props: str = "",
    ) -> None:
        self._sink = sink
        self._start_date = start_date
        self._clock = clock
        self._new_key = new_key
        self._rules = rules
        self._redaction = EventRedaction(
            redactor_for(rules or default_rules()),
            hash_key=hash_key.encode() or (rules or default_rules()).hash_key,
            encrypted_props=encrypted_props.split(","),
        )
        self._judge: tuple[date, LineValidator] | None = None
        self._logged: set[str] = set()

    def track(
        self,
        event_type: str,
        context: TrackingContext | None = None,
        *,
        occurred_at: datetime | str | None = None,
        idempotency_key: str | None = None,
        entity_type: str | None = None,
        entity_id: str | None = None,
        ip_asset_id: str | None = None,
        project_id: str | None = None,
        license_id: str | None = None,
        props: Mapping[str, Any] | None = None,
    ) -> Tracked:
        """Track one event. Without `occurred_at` it happened now, without `idempotency_key` it gets one."""
        event = {
            "eventType": event_type,
            "occurredAt": occurred_at,
            "idempotencyKey": idempotency_key,
            "entityType": entity_type,
            "entityId": entity_id,
            "ipAssetId": ip_asset_id,
            "projectId": project_id,
            "licenseId": license_id,
            "props": props,
        }
        return self.track_event({name: value for name, value in event.items() if value is not None}, context)

    def track_event(self, event: Mapping[str, Any], context: TrackingContext | None = None) -> Tracked:
        """Track one event in the form of the contract, such as the body of a request from the product's own pages."""
        try:
            result = self._track(event, context)
        except (TypeError, ValueError, RecursionError):
            result = _refused("event: cannot be written as JSON")
        except Exception as error:  # noqa: BLE001 - of a mapping or a sink that somebody else wrote
            result = _refused(f"event: {type(error).__name__} while it was tracked")
        if not result.tracked:
            self._log_once(result.reasons)
        return result

    def track_batch(self, events: Sequence[Mapping[str, Any]], context: TrackingContext | None = None) -> TrackedBatch:
        """Track 1 to 50 events in the form of the contract, each for itself. A longer batch is refused whole."""
        if not isinstance(events, list | tuple) or not 1 <= len(events) <= MAX_BATCH:
            reason = f"batch: not a list of 1 to {MAX_BATCH} events"
            self._log_once((reason,))
            return TrackedBatch(reasons=(reason,))
        return TrackedBatch(tuple(self.track_event(event, context) for event in events))

    def flush(self) -> None:
        """Bring what was tracked so far to where the warehouse looks for it. Raises nothing."""
        self._safely(self._sink.flush)

    def close(self) -> None:
        """Flush and stop: what is tracked afterwards is refused. Raises nothing."""
        self._safely(self._sink.close)

    def __enter__(self) -> "Tracker":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _track(self, event: Mapping[str, Any], context: TrackingContext | None) -> Tracked:
        if not isinstance(event, Mapping):
            return _refused("event: not an object")
        sent = dict(event)
        document = _completed(sent, context)
        # What a browser says counts beside what the server knows of it.
        if declines_tracking(document) or declines_tracking({**sent, "source": document.get("source")}):
            return _refused(DO_NOT_TRACK)
        form = JsonForm()
        document = without_addresses(form.of(document))
        if form.reasons:
            return _refused(*form.reasons)
        now = self._clock()
        key, occurred_at = self._identify(document, now)
        document["receivedAt"] = _text(now)
        line = _encode(document)
        match self._validator(now.date()).refuse(line):
            case Rejected(_, _, reasons):
                return Tracked(False, reasons=reasons)
            case NotTracked():
                return _refused(DO_NOT_TRACK)
        redacted = self._redaction.of(document)
        if redacted != document:
            line = _encode(redacted)
        if not self._sink.write(line, now):
            return _refused("tracker: closed")
        return Tracked(True, key, occurred_at)

    def _identify(self, document: dict[str, Any], now: datetime) -> tuple[str, str]:
        """The key and the time by which a retry is known for one; both are filled in where they are absent.

        A key that is a placeholder stays, since the warehouse counts it, and the event gets another.
        """
        placeholders = (self._rules or default_rules()).placeholder_ids
        for name in ("idempotencyKey", "eventId"):
            key = document.get(name)
            if key and not is_placeholder(key, placeholders) and (not isinstance(key, str) or key.strip()):
                break
        else:
            key = self._new_key()
            document["eventId" if document.get("idempotencyKey") else "idempotencyKey"] = key
        occurred_at = document.get("occurredAt")
        if not occurred_at:
            occurred_at = document["occurredAt"] = _text(now)
        return key, occurred_at

    def _validator(self, landing_date: date) -> LineValidator:
        judge = self._judge
        if judge is None or judge[0] != landing_date:
            validator = LineValidator(landing_date=landing_date, start_date=self._start_date, rules=self._rules)
            judge = landing_date, validator
            self._judge = judge
        return judge[1]

    def _log_once(self, reasons: tuple[str, ...]) -> None:
        text = "; ".join(reasons)
        # A person who declines is no mistake.
        if text not in self._logged and text != DO_NOT_TRACK and len(self._logged) < _MAX_LOGGED:
            self._logged.add(text)
            _log.warning("an event was not tracked: %s (said once for all events with these reasons)", text)

    def _safely(self, step: Callable[[], object]) -> None:
        try:
            step()
        except Exception:  # noqa: BLE001 - as above
            _log.warning("tracked events could not be written", exc_info=True)


def _completed(event: dict[str, Any], context: TrackingContext | None) -> dict[str, Any]:
    """Return an event under camelCase keys, with what a context knows.

    Two spellings of a field that differ both stay, for the warehouse to count, unless the context knows better.
    """
    if is_camel(event):
        return event if context is None else context.completed(event)
    spelled = spell(event)
    document = spelled.present if context is None else context.completed(spelled.present)
    for section, key, snake in spelled.conflicts:
        sent = spelled.sent[section] if section else spelled.sent
        if section:
            document[section] = dict(document[section])
        inner = document[section] if section else document
        if key not in inner:
            inner |= {name: sent[name] for name in (key, snake)}
    return document


def _refused(*reasons: str) -> Tracked:
    return Tracked(False, reasons=reasons)


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")
