"""Simulated trackers of the sample: keys, times, key formats, retries and invalid lines.

Most visitors use the product's present tracker, ingestion.tracking. Lines of its older versions are built here. Every
line has an expected outcome, so that tests can check a load of the sample.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cache
from random import Random
from typing import Any, Final, NamedTuple

import msgspec

from ingestion import tracking
from sample_data.application_rows import DAY_MS
from sample_data.broken_lines import break_line
from sample_data.visitors import Visitor

BROKEN_SHARE: Final = 0.0105
RETRIED_SHARE: Final = 0.0205

Event = dict[str, Any]


class Outcome(StrEnum):
    """The outcome of a line in the warehouse, by the rules of the contract."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    RATE_LIMITED = "rate_limited"
    DUPLICATE = "duplicates"
    NOT_TRACKED = "not_tracked"


class Sent(NamedTuple):
    """A line with its time of arrival, in milliseconds since the first midnight, which decides the landing day."""

    received_at: int
    outcome: Outcome
    line: bytes


# Function that sends an event at a time, with an outcome; a second call sends a retry.
Deliver = Callable[[int, Outcome], None]


@cache
def _clock() -> tuple[str, ...]:
    """Return the text of every second of a day. A look-up takes a third of the time of isoformat."""
    return tuple(
        f"T{hour:02d}:{minute:02d}:{second:02d}" for hour in range(24) for minute in range(60) for second in range(60)
    )


class SimulatedTracker:
    """Collector of the lines of one day, in the order of their events: a sink of the product's tracker."""

    def __init__(self, rng: Random, start: date) -> None:
        self.sent: list[Sent] = []
        self._rng = rng
        self._midnight = datetime.combine(start, time.min, UTC)
        self._arrives, self._outcome = 0, Outcome.ACCEPTED
        self._tracker = tracking.Tracker(
            self,
            clock=lambda: self._midnight + timedelta(milliseconds=self._arrives),
            new_key=lambda: f"{rng.getrandbits(128):032x}",
        )
        self._encode: Callable[[object], bytes] = msgspec.json.Encoder().encode
        self._day_text = cache(lambda day: (start + timedelta(days=day)).isoformat())
        self._times = _clock()

    def time(self, at: int, utc_offset_hours: int = 0) -> str:
        """Return a time as text."""
        day, of_day = divmod(at + utc_offset_hours * 3_600_000, DAY_MS)
        second, millisecond = divmod(of_day, 1000)
        zone = f"{utc_offset_hours:+03d}:00" if utc_offset_hours else "Z"
        return f"{self._day_text(day)}{self._times[second]}.{millisecond:03d}{zone}"

    def send(
        self,
        visitor: Visitor,
        at: int,
        event_type: str,
        content: Event,
        *,
        received_at: int | None = None,
        is_signed_in: bool = False,
        key: str | None = None,
        outcome: Outcome = Outcome.ACCEPTED,
    ) -> None:
        """Send one event, sometimes with a retry or with an invalid copy."""
        rng = self._rng
        arrives = received_at if received_at is not None else at + rng.randrange(40, 2_500)
        event: Event = {"eventType": event_type, "occurredAt": self.time(at, visitor.utc_offset_hours), **content}
        if key:
            event["idempotencyKey"] = key
        prepare = self._with_present_tracker if visitor.has_present_tracker else self._with_old_tracker
        deliver = prepare(event, visitor, is_signed_in=is_signed_in)
        deliver(arrives, Outcome.NOT_TRACKED if visitor.is_not_tracked else outcome)
        if visitor.is_not_tracked or outcome is not Outcome.ACCEPTED:
            return
        line = self.sent[-1].line
        # Without a key only a copy with equal fields is a duplicate.
        if rng.random() < RETRIED_SHARE and (visitor.key_field or not visitor.sends_received_at):
            deliver(self._again(arrives), Outcome.DUPLICATE)
        if rng.random() < BROKEN_SHARE:
            broken = break_line(rng, msgspec.json.decode(line), self.time(arrives))
            self.sent.append(Sent(arrives + 1, Outcome.REJECTED, broken))

    def _again(self, arrived: int) -> int:
        """Return the time of a retry: mostly seconds later, sometimes hours or days."""
        rng = self._rng
        kind = rng.random()
        if kind < 0.6:
            return arrived + rng.randrange(2_000, 30_000)
        if kind < 0.85:
            return arrived + rng.randrange(3 * 3_600_000, 12 * 3_600_000)
        return arrived + rng.randrange(DAY_MS, 2 * DAY_MS)

    def _with_present_tracker(self, event: Event, visitor: Visitor, *, is_signed_in: bool) -> Deliver:
        user_id = visitor.user_id if is_signed_in else None
        context = tracking.TrackingContext(
            source=visitor.source,
            actor_id=user_id,
            actor_type=tracking.actor_type_of(visitor.actor_type) if user_id else None,
            anonymous_id=visitor.anonymous_id or None,
            user_agent=visitor.user_agent or None,
            device_type="mobile" if visitor.source == "mobile" else None,
            do_not_track=visitor.is_not_tracked or None,
        )

        def deliver(arrives: int, outcome: Outcome) -> None:
            self._arrives, self._outcome = arrives, outcome
            result = self._tracker.track_event(event, context)
            if result.tracked is visitor.is_not_tracked:
                raise ValueError(f"the sample's own event was not treated as it should be: {event} {result}")
            event["idempotencyKey"] = result.event_id

        return deliver

    def write(self, line: bytes, arrived_at: datetime) -> bool:  # noqa: ARG002 - the interface of a sink
        """Collect a line of the present tracker."""
        self.sent.append(Sent(self._arrives, self._outcome, line))
        return True

    def flush(self) -> None:
        """Do nothing: lines are not buffered."""

    def close(self) -> None:
        """Do nothing: no file is open."""

    def _with_old_tracker(self, event: Event, visitor: Visitor, *, is_signed_in: bool) -> Deliver:
        if visitor.key_field:
            event.setdefault(visitor.key_field, f"{self._rng.getrandbits(128):032x}")
        # Source web is the default, and some versions of the tracker leave it out.
        if visitor.source != "web" or visitor.key_field != "eventId":
            event["source"] = visitor.source
        if visitor.anonymous_id:
            event["anonymousId"] = visitor.anonymous_id
        if is_signed_in and visitor.user_id:
            event |= {"actorId": visitor.user_id, "actorType": visitor.actor_type}
        self._add_context(event, visitor)

        def deliver(arrives: int, outcome: Outcome) -> None:
            if visitor.sends_received_at:
                event["receivedAt"] = self.time(arrives)
            line = self._encode(_snake_case(event) if visitor.is_snake_case else event)
            self.sent.append(Sent(arrives, outcome, line))

        return deliver

    def _add_context(self, event: Event, visitor: Visitor) -> None:
        context: Event = {}
        if visitor.user_agent:
            if visitor.sends_agent_in_props:
                event["props"] = {**event.get("props", {}), "userAgent": visitor.user_agent}
            else:
                context["userAgent"] = visitor.user_agent
        if visitor.source == "mobile":
            context["deviceType"] = "mobile"
        if visitor.ip_address:
            context["ipAddress"] = visitor.ip_address
        if visitor.is_not_tracked:
            context["doNotTrack"] = visitor.refusal
        if context:
            event["context"] = context


@cache
def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


def _snake_case(event: Event) -> Event:
    """Return an event with snake_case keys, as older trackers send it. Keys of props stay."""
    return {
        _snake(key): _snake_case(value) if key in ("attribution", "context") else value for key, value in event.items()
    }
