"""How the sample's trackers put an event on the wire: keys, times, spellings, retries, and lines that are broken.

Every line that is sent carries what the warehouse must make of it, so that a load of the sample can be judged.
"""

from collections.abc import Callable
from datetime import date, timedelta
from enum import StrEnum
from functools import cache
from random import Random
from typing import Any, Final, NamedTuple

import msgspec

from ingestion.marketplace.broken_lines import break_line
from ingestion.marketplace.rows import DAY_MS
from ingestion.marketplace.visitors import Visitor

BROKEN_SHARE: Final = 0.0105
RETRIED_SHARE: Final = 0.0205

Event = dict[str, Any]


class Outcome(StrEnum):
    """What becomes of a line in the warehouse, by the rules of the contract."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    RATE_LIMITED = "rate_limited"
    DUPLICATE = "duplicates"
    NOT_TRACKED = "not_tracked"


class Sent(NamedTuple):
    """One line as it arrives. `received_at` in milliseconds since the first midnight; it decides the landing day."""

    received_at: int
    outcome: Outcome
    line: bytes


@cache
def _clock() -> tuple[str, ...]:
    """The text of every second of a day: formatting a time this way takes a third of what isoformat takes."""
    return tuple(
        f"T{hour:02d}:{minute:02d}:{second:02d}" for hour in range(24) for minute in range(60) for second in range(60)
    )


class Tracker:
    """Collects what is sent on one day, in the order in which it happened."""

    def __init__(self, rng: Random, start: date) -> None:
        self.sent: list[Sent] = []
        self._rng = rng
        self._encode: Callable[[object], bytes] = msgspec.json.Encoder().encode
        self._day_text = cache(lambda day: (start + timedelta(days=day)).isoformat())
        self._times = _clock()

    def time(self, at: int, utc_offset_hours: int = 0) -> str:
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
        """Send one event, and now and then a retry of it, or a broken relative."""
        rng = self._rng
        arrives = received_at if received_at is not None else at + rng.randrange(40, 2_500)
        event: Event = {"eventType": event_type, "occurredAt": self.time(at, visitor.utc_offset_hours)}
        if visitor.sends_received_at:
            event["receivedAt"] = self.time(arrives)
        if visitor.key_field:
            event[visitor.key_field] = key or f"{rng.getrandbits(128):032x}"
        # The web is the default, which some versions of the tracker rely on.
        if visitor.source != "web" or visitor.key_field != "eventId":
            event["source"] = visitor.source
        if visitor.anonymous_id:
            event["anonymousId"] = visitor.anonymous_id
        if is_signed_in and visitor.user_id:
            event["actorId"] = visitor.user_id
            event["actorType"] = visitor.actor_type
        event.update(content)
        self._add_context(event, visitor)
        if visitor.is_not_tracked:
            outcome = Outcome.NOT_TRACKED
        self.sent.append(Sent(arrives, outcome, self._line(event, visitor)))
        if outcome is not Outcome.ACCEPTED:
            return
        if rng.random() < RETRIED_SHARE:
            self._retry(event, visitor, arrives)
        if rng.random() < BROKEN_SHARE:
            line = break_line(rng, event, self.time(arrives))
            self.sent.append(Sent(arrives + 1, Outcome.REJECTED, line))

    def _retry(self, event: Event, visitor: Visitor, arrived: int) -> None:
        rng = self._rng
        if visitor.key_field is None and visitor.sends_received_at:
            # Without a key only a copy that is equal in every field is known for one.
            return
        kind = rng.random()
        if kind < 0.6:
            again = arrived + rng.randrange(2_000, 30_000)
        elif kind < 0.85:
            again = arrived + rng.randrange(3 * 3_600_000, 12 * 3_600_000)
        else:
            again = arrived + rng.randrange(DAY_MS, 2 * DAY_MS)
        if visitor.sends_received_at:
            event = event | {"receivedAt": self.time(again)}
        self.sent.append(Sent(again, Outcome.DUPLICATE, self._line(event, visitor)))

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
            context["doNotTrack"] = True
        if context:
            event["context"] = context

    def _line(self, event: Event, visitor: Visitor) -> bytes:
        return self._encode(_snake_case(event) if visitor.is_snake_case else event)


@cache
def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


def _snake_case(event: Event) -> Event:
    """The same event in the spelling of the older trackers; the keys of props are the producer's own and stay."""
    return {
        _snake(key): _snake_case(value) if key in ("attribution", "context") else value for key, value in event.items()
    }
