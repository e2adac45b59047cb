"""Faults to plant in a day of the sample marketplace, each at three sizes: functions of the day's lines."""

import gzip
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

from sample_data.simulated_tracker import Sent
from sample_data.visitors import CAMPAIGNS

Event = dict[str, Any]
# Returns the lines of a day with the fault in them. The number is the day's place in the faulty days.
Plant = Callable[[Sequence[Sent], Random, float, int], list[Sent]]

HOUR_MS: Final = 3_600_000
# Fields of the view that a bot repeats which it has of its own, or has not.
_OF_A_VISIT: Final = (
    "actorId", "actor_id", "actorType", "actor_type", "attribution", "received_at", "occurred_at", "session_id",
    "anonymous_id",
)  # fmt: skip
_KEYS: Final = ("idempotencyKey", "idempotency_key", "eventId", "event_id")


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault with its three sizes, small to large, and the number of days in a row that have it."""

    name: str
    plant: Plant
    sizes: tuple[float, float, float]
    days: int = 1


def _events(lines: Sequence[Sent]) -> Iterator[tuple[Sent, Event | None]]:
    """Yield each line with its event; None for a line that is no JSON object."""
    for sent in lines:
        try:
            event = json.loads(sent.line)
        except ValueError:
            event = None
        yield sent, event if isinstance(event, dict) else None


def _with(sent: Sent, event: Event) -> Sent:
    return sent._replace(line=json.dumps(event).encode())


def _field(event: Event, camel: str, snake: str) -> Any:
    return event.get(camel, event.get(snake))


def _source(event: Event) -> Any:
    return event.get("source", "web")


def _with_new_key(event: Event, rng: Random) -> Event:
    copy = {name: value for name, value in event.items() if name not in _KEYS}
    return copy | {"idempotencyKey": f"{rng.getrandbits(128):032x}"}


def _is_conversion(event: Event) -> bool:
    return _field(event, "eventType", "event_type") == "license_created"


def tracking_off(lines: Sequence[Sent], rng: Random, hours: float, _: int) -> list[Sent]:
    """Drop all events of source web for some hours of the day."""
    del rng
    at = min(sent.received_at for sent in lines) // (24 * HOUR_MS) * 24 * HOUR_MS + 9 * HOUR_MS
    return [
        sent
        for sent, event in _events(lines)
        if not (at <= sent.received_at < at + hours * HOUR_MS and event and _source(event) == "web")
    ]


def dollars_for_cents(lines: Sequence[Sent], rng: Random, share: float, _: int) -> list[Sent]:
    """Send the revenue of a share of the conversions in dollars."""
    changed = []
    for sent, event in _events(lines):
        props = (event or {}).get("props") or {}
        is_hit = event is not None and _is_conversion(event) and rng.random() < share
        if is_hit and props.get("revenueCents"):
            dollars = int(props["revenueCents"]) // 100
            event = {**event, "props": {**props, "revenueCents": dollars}}
            sent = _with(sent, event)
        changed.append(sent)
    return changed


def doubled(lines: Sequence[Sent], rng: Random, share: float, _: int) -> list[Sent]:
    """Send a share of the day's events twice, the second time with new keys."""
    copies = [
        _with(sent, _with_new_key(event, rng)) for sent, event in _events(lines) if event and rng.random() < share
    ]
    return [*lines, *copies]


def bots(lines: Sequence[Sent], rng: Random, share: float, __: int) -> list[Sent]:
    """Add bots with the agents of browsers: new devices that look at one asset after another, without a referrer."""
    views = [
        (sent, event)
        for sent, event in _events(lines)
        if event and _field(event, "eventType", "event_type") == "asset_viewed" and _source(event) == "web"
    ]
    added: list[Sent] = []
    wanted = int(share * len(lines))
    while len(added) < wanted:
        device, session = f"anon-{rng.getrandbits(64):016x}", f"{rng.getrandbits(128):032x}"
        session = f"{session[:8]}-{session[8:12]}-4{session[13:16]}-8{session[17:20]}-{session[20:]}"
        start, first = rng.choice(views)
        at = start.received_at
        for _ in range(rng.randrange(20, 60)):
            _, view = rng.choice(views)
            at += rng.randrange(800, 2_500)
            moved = datetime.fromisoformat(_field(first, "occurredAt", "occurred_at").replace("Z", "+00:00"))
            moved += timedelta(milliseconds=at - start.received_at)
            event = _with_new_key(view, rng) | {"anonymousId": device, "sessionId": session}
            for name in _OF_A_VISIT:
                event.pop(name, None)
            event["occurredAt"] = event["receivedAt"] = moved.isoformat()
            added.append(_with(start._replace(received_at=at), event))
    return [*lines, *added]


def wrong_clocks(lines: Sequence[Sent], rng: Random, hours: float, _: int) -> list[Sent]:
    """Let the clocks of half of the devices of source web be slow by some hours."""
    slow: dict[str, bool] = {}
    changed = []
    for sent, event in _events(lines):
        device = str(_field(event or {}, "anonymousId", "anonymous_id"))
        if event and _source(event) == "web" and slow.setdefault(device, rng.random() < 0.5):
            name = "occurredAt" if "occurredAt" in event else "occurred_at"
            try:
                at = datetime.fromisoformat(str(event.get(name)).replace("Z", "+00:00")) - timedelta(hours=hours)
            except ValueError:
                changed.append(sent)
                continue
            sent = _with(sent, event | {name: at.isoformat()})
        changed.append(sent)
    return changed


def _without_utm(attribution: Event) -> Event:
    return {name: value for name, value in attribution.items() if not name.startswith("utm") and "lid" not in name}


def lost_campaign(lines: Sequence[Sent], rng: Random, share: float, _: int) -> list[Sent]:
    """Lose the tags of one campaign, which has 5 % of the sessions or more, on a share of its visits."""
    changed = []
    for sent, event in _events(lines):
        attribution = (event or {}).get("attribution") or {}
        if event and _field(attribution, "utmCampaign", "utm_campaign") == CAMPAIGNS[0] and rng.random() < share:
            kept = {name: value for name, value in _without_utm(attribution).items() if name == "referrer"}
            sent = _with(sent, event | {"attribution": kept})
        changed.append(sent)
    return changed


def stripped_referrer(lines: Sequence[Sent], rng: Random, share: float, _: int) -> list[Sent]:
    """Strip the referrer of a share of the visits."""
    changed = []
    for sent, event in _events(lines):
        attribution = (event or {}).get("attribution") or {}
        if event and "referrer" in attribution and rng.random() < share:
            kept = {name: value for name, value in attribution.items() if name != "referrer"}
            sent = _with(sent, event | {"attribution": kept})
        changed.append(sent)
    return changed


def conversions_twice(lines: Sequence[Sent], rng: Random, share: float, _: int) -> list[Sent]:
    """Send a share of the conversions twice, the second time with a new key, seconds later."""
    copies = [
        _with(sent._replace(received_at=sent.received_at + 3_000), _with_new_key(event, rng))
        for sent, event in _events(lines)
        if event and _is_conversion(event) and rng.random() < share
    ]
    return [*lines, *copies]


def lost_assets(lines: Sequence[Sent], rng: Random, share: float, _: int) -> list[Sent]:
    """Lose a share of the events of the assets of one type in six."""
    return [
        sent
        for sent, event in _events(lines)
        if not (
            event
            and str(_field(event, "entityType", "entity_type")).lower() == "asset"
            and sum(str(_field(event, "entityId", "entity_id")).encode()) % 6 == 0
            and rng.random() < share
        )
    ]


def leak(lines: Sequence[Sent], rng: Random, share_a_day: float, number: int) -> list[Sent]:
    """Lose a share more of all events on each day."""
    kept = (1 - share_a_day) ** (number + 1)
    return [sent for sent in lines if rng.random() < kept]


FAULTS: Final = (
    Fault("tracking of web off for hours", tracking_off, (1, 3, 8)),
    Fault("revenue in dollars on a share of conversions", dollars_for_cents, (0.1, 0.5, 1.0)),
    Fault("share of a day doubled with new keys", doubled, (0.1, 0.5, 1.0)),
    Fault("bots with agents of browsers, of all events", bots, (0.1, 0.5, 2.0)),
    Fault("clocks of half of web slow by hours", wrong_clocks, (1, 5, 12)),
    Fault("tags of a campaign lost on a share of visits", lost_campaign, (0.2, 0.5, 1.0)),
    Fault("referrer stripped from a share of visits", stripped_referrer, (0.2, 0.5, 1.0)),
    Fault("share of conversions sent twice", conversions_twice, (0.05, 0.2, 1.0)),
    Fault("share of the events of an asset type lost", lost_assets, (0.05, 0.15, 0.4)),
    Fault("share of events lost each day, over 14 days", leak, (0.01, 0.02, 0.05), days=14),
)


def packed(lines: Sequence[Sent]) -> bytes:
    """Return the content of a landing file with these lines, in the order of their arrival."""
    ordered = sorted(lines, key=lambda sent: sent.received_at)
    return gzip.compress(b"".join(sent.line + b"\n" for sent in ordered), 1, mtime=0)
