"""Invalid lines of the sample. Each breaks one rule of the contract and is rejected."""

from collections.abc import Callable
from random import Random
from typing import Any, Final

import msgspec

from sample_data.application_rows import MAIL_DOMAIN, PASSWORD_MARK

Event = dict[str, Any]


def _encode(event: Event) -> bytes:
    return msgspec.json.encode(event)


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))


def _with(**changes: Any) -> Callable[[Event], bytes]:
    return lambda event: _encode(event | changes)


def _without(*names: str) -> Callable[[Event], bytes]:
    return lambda event: _encode({name: value for name, value in event.items() if name not in names})


def _with_prop(name: str, value: Any) -> Callable[[Event], bytes]:
    return lambda event: _encode(event | {"props": {**event.get("props", {}), name: value}})


def _cut(event: Event) -> bytes:
    """Cut off an event in the middle, as a writer that dies does, with personal data in the first half."""
    personal = {"email": f"cut.off@{MAIL_DOMAIN}", "password": f"{PASSWORD_MARK}cut"}
    line = _encode({"props": personal} | {name: value for name, value in event.items() if name != "props"})
    return line[: len(line) * 2 // 3]


# Functions that break a valid event, by their names in test messages.
KINDS: Final[dict[str, Callable[[Event], bytes]]] = {
    "no JSON": lambda _: b"<html><body><h1>502 Bad Gateway</h1></body></html>",
    "cut off": _cut,
    "a list": lambda event: b"[" + _encode(event) + b"]",
    "two objects": lambda event: _encode(event) + _encode(event),
    "not UTF-8": lambda event: _encode(event | {"anonymousId": "caf"})[:-1] + b',"x":"\xe9\xff"}',
    "a NUL character": _with_prop("title", "before\x00after"),
    "no event type": _without("eventType"),
    "an event type with blanks": _with(eventType="Asset Viewed"),
    "an event type that is too long": _with(eventType="a" * 101),
    "no time": _without("occurredAt"),
    "a time without offset": _with(occurredAt="2026-10-05T12:00:00"),
    "a time that is none": _with(occurredAt="yesterday at noon"),
    "a clock that was reset": _with(occurredAt="1970-01-01T00:00:12Z"),
    "a clock far ahead": _with(occurredAt="2099-01-01T00:00:00Z"),
    "an unknown source": _with(source="desktop"),
    "an unknown actor type": _with(actorId="usr_000001", actorType="robot"),
    "an entity id without a type": lambda event: _without("entityType")(event | {"entityId": "ast_000001"}),
    "an unknown entity type": _with(entityType="invoice", entityId="inv_1"),
    "negative revenue": _with_prop("revenueCents", -500),
    "revenue in fractions of a cent": _with_prop("revenueCents", 12.5),
    "revenue beyond its limit": _with_prop("revenueCents", 10**12 + 1),
    "negative engagement": _with_prop("engagementTime", -3),
    "props that are too deep": _with_prop("filters", {"and": {"or": {"not": {"type": {"is": "font"}}}}}),
    "props that are too big": _with_prop("payload", "x" * 10_500),
}
_BREAKERS: Final = tuple(KINDS.values())


def break_line(rng: Random, event: Event, received_at: str) -> bytes:
    """Return the line of an event with one broken rule."""
    # In camelCase only: a field in two forms is dropped, and the event would be accepted.
    event = {_camel(key): value for key, value in event.items()}
    # A key of its own, so that it is no retry, and a time of arrival, which limits its clock.
    own: Event = {"idempotencyKey": f"{rng.getrandbits(128):032x}", "receivedAt": received_at}
    return rng.choice(_BREAKERS)(event | own)
