"""Tracker of a producer's events: validates them by the contract and writes them as lines.

It never raises: a fault of the tracker must not become one of the program that is tracked.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from types import TracebackType
from typing import Any, Final
from uuid import uuid4

import msgspec

from ingestion.redaction import redactor_for
from ingestion.tracking.context import TrackingContext
from ingestion.tracking.json_form import JsonForm
from ingestion.tracking.redacted_event import EventRedaction
from ingestion.tracking.results import Tracked, TrackedBatch
from ingestion.tracking.sink import Sink
from ingestion.validation.consent import declines_tracking
from ingestion.validation.event_reader import is_placeholder
from ingestion.validation.key_normalization import is_camel, normalize_keys
from ingestion.validation.unstorable_text import escape_unstorable
from ingestion.validation.validator import LineValidator, NotTracked, RejectedLine
from ingestion.validation_lists import EventRules, default_rules

MAX_BATCH: Final = 50
DO_NOT_TRACK: Final = "doNotTrack: the person has declined"

# Reasons name fields and rules and quote no values, so there are few distinct ones.
_MAX_LOGGED: Final = 100
_log: Final = logging.getLogger(__name__)
_encode: Final = msgspec.json.Encoder().encode


class Tracker:
    """Writer of events to a sink, from any number of threads. Closing it closes the sink.

    Personal data is redacted before it is written.

    Args:
        sink: Destination of the lines.
        start_date: First day of which the warehouse accepts events, if the producer knows it.
        clock: Returns the time at which an event arrives, in UTC.
        new_key: Returns a key for an event without one.
        rules: Lists of the warehouse. Default: the seeds of this checkout.
        hash_key: WAREHOUSE_HASH_KEY of the warehouse. With it, personal ids are hashed; else they stay as sent.
        encrypted_props: Props that the warehouse encrypts, separated by commas. Their values stay as sent.
    """

    def __init__(
        self,
        sink: Sink,
        *,
        start_date: date = date.min,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        new_key: Callable[[], str] = lambda: str(uuid4()),
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
        self._latest_validator: tuple[date, LineValidator] | None = None
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
        """Track one event. Without `occurred_at` it gets the present time, without `idempotency_key` a new key."""
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
            result = _not_tracked("event: cannot be written as JSON")
        except Exception as error:  # noqa: BLE001 - raised by a mapping or sink of the producer
            result = _not_tracked(f"event: {type(error).__name__} while it was tracked")
        if not result.tracked:
            self._log_once(result.reasons)
        return result

    def track_batch(self, events: Sequence[Mapping[str, Any]], context: TrackingContext | None = None) -> TrackedBatch:
        """Track 1 to 50 events in the form of the contract, each on its own. A longer batch is rejected whole."""
        if not isinstance(events, list | tuple) or not 1 <= len(events) <= MAX_BATCH:
            reason = f"batch: not a list of 1 to {MAX_BATCH} events"
            self._log_once((reason,))
            return TrackedBatch(reasons=(reason,))
        return TrackedBatch(tuple(self.track_event(event, context) for event in events))

    def flush(self) -> None:
        """Write all tracked events to the landing folder. Never raises."""
        self._safely(self._sink.flush)

    def close(self) -> None:
        """Flush, and track no more events. Never raises."""
        self._safely(self._sink.close)

    def __enter__(self) -> "Tracker":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _track(self, event: Mapping[str, Any], context: TrackingContext | None) -> Tracked:
        if not isinstance(event, Mapping):
            return _not_tracked("event: not an object")
        sent = dict(event)
        document = _completed(sent, context)
        # A refusal in either counts: the event as the browser sent it, and as the context completes it.
        if declines_tracking(document) or declines_tracking({**sent, "source": document.get("source")}):
            return _not_tracked(DO_NOT_TRACK)
        form = JsonForm()
        document = form.of(escape_unstorable(document))
        if form.reasons:
            return _not_tracked(*form.reasons)
        document = self._redaction.without_dropped(document)
        now = self._clock()
        key, occurred_at = self._identify(document, now)
        document["receivedAt"] = _text(now)
        line = _encode(document)
        match self._validator(now.date()).rejection_or_none(line):
            case RejectedLine(_, _, reasons):
                return Tracked(False, reasons=reasons)
            case NotTracked():
                return _not_tracked(DO_NOT_TRACK)
        redacted = self._redaction.redact(document)
        if redacted != document:
            line = _encode(redacted)
        if not self._sink.write(line, now):
            return _not_tracked("tracker: closed")
        return Tracked(True, key, occurred_at)

    def _identify(self, document: dict[str, Any], now: datetime) -> tuple[str, str]:
        """Return the key and time that identify retries of an event, and add them where they are absent.

        A key that is a placeholder stays, since the warehouse counts placeholders; the event gets another key.
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
        latest = self._latest_validator
        if latest is None or latest[0] != landing_date:
            validator = LineValidator(landing_date=landing_date, start_date=self._start_date, rules=self._rules)
            latest = self._latest_validator = landing_date, validator
        return latest[1]

    def _log_once(self, reasons: tuple[str, ...]) -> None:
        text = "; ".join(reasons)
        # A refusal of tracking is no mistake.
        if text not in self._logged and text != DO_NOT_TRACK and len(self._logged) < _MAX_LOGGED:
            self._logged.add(text)
            _log.warning("an event was not tracked: %s (said once for all events with these reasons)", text)

    def _safely(self, step: Callable[[], object]) -> None:
        try:
            step()
        except Exception:  # noqa: BLE001 - raised by a sink of the producer
            _log.warning("tracked events could not be written", exc_info=True)


def _completed(event: dict[str, Any], context: TrackingContext | None) -> dict[str, Any]:
    """Return an event under camelCase keys, completed by a context.

    A field sent in camelCase and in snake_case with different values keeps both, for the warehouse to count, unless
    the context has the field.
    """
    if is_camel(event):
        return event if context is None else context.completed(event)
    normalized = normalize_keys(event)
    document = normalized.present if context is None else context.completed(normalized.present)
    for section, key, snake in normalized.conflicts:
        sent = normalized.sent[section] if section else normalized.sent
        if section:
            document[section] = dict(document[section])
        inner = document[section] if section else document
        if key not in inner:
            inner |= {name: sent[name] for name in (key, snake)}
    return document


def _not_tracked(*reasons: str) -> Tracked:
    return Tracked(False, reasons=reasons)


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")
