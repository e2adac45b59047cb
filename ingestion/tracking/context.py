"""Context of tracked events: the actor, session, device and attribution of one request or visit."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

import msgspec

from ingestion.contract import Context, Event, camel_keys

# The contract's actor types, by role of the product.
ACTOR_TYPES: Final = {
    role: actor_type
    for actor_type, roles in {
        "user": ("user", "member", "viewer", "guest"),
        "creator": ("creator", "artist"),
        "brand": ("brand", "brand_member", "brand_admin"),
        "admin": ("admin", "moderator", "support"),
        "system": ("system", "service", "worker", "scheduler"),
    }.items()
    for role in roles
}


_KEYS: Final = camel_keys(Event) | camel_keys(Context)


def actor_type_of(role: object) -> str | None:
    """Return the actor type of a role of the product, in any letter case; None for an unknown role.

    An event without an actor type is accepted, one with a wrong type is not. So a new role loses no events.
    """
    return ACTOR_TYPES.get(role.strip().lower()) if isinstance(role, str) else None


class TrackingContext(msgspec.Struct, frozen=True, kw_only=True):
    """A producer's knowledge of the actor, session and device of events.

    `source` is web, mobile, api, system or webhook. `attribution` comes from `attribution_of`. `do_not_track` takes the
    browser's value; any value but a clear no declines. The tracker validates the whole event. There is no field for the
    IP address: the warehouse never stores it.
    """

    source: str
    actor_id: str | None = None
    actor_type: str | None = None
    anonymous_id: str | None = None
    session_id: UUID | str | None = None
    attribution: Mapping[str, str] | None = None
    user_agent: str | None = None
    device_type: str | None = None
    browser: str | None = None
    os: str | None = None
    do_not_track: bool | int | str | None = None

    def signed_in(self, actor_id: str, role: str) -> "TrackingContext":
        """Return the context with a signed-in user."""
        return msgspec.structs.replace(self, actor_id=actor_id, actor_type=actor_type_of(role))

    def completed(self, event: dict[str, Any]) -> dict[str, Any]:
        """Return an event, under camelCase keys, completed by this context, whose values replace those of the event.

        The server knows the signed-in user; a browser could send any.
        """
        filled = event | self._given("source", "actor_id", "actor_type", "anonymous_id", "session_id")
        if device := self._given("user_agent", "device_type", "browser", "os", "do_not_track"):
            _add(filled, "context", device)
        if self.attribution:
            _add(filled, "attribution", self.attribution)
        return filled

    def _given(self, *names: str) -> dict[str, Any]:
        """Return those of the fields that are not null, under camelCase keys."""
        return {_KEYS.get(name, name): value for name in names if (value := getattr(self, name)) is not None}


def _add(event: dict[str, Any], section: str, known: Mapping[str, object]) -> None:
    """Add values to a section of the event. A section that is no object stays, for validation to drop."""
    given = event.get(section)
    if not given:
        event[section] = known
    elif isinstance(given, Mapping):
        event[section] = {**given, **known}
