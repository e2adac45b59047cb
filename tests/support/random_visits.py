"""Visits of a few people on a few devices, and who they were, worked out in Python."""

import itertools
import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from tests.support.pipeline import Pipeline
from warehouse.window import Window


@dataclass(frozen=True)
class Visit:
    """One event."""

    key: str
    at: datetime
    kind: str = "page_viewed"
    device: str = ""
    actor: str = ""
    asset: str = ""
    is_bot: bool = False

    @property
    def day(self) -> date:
        """The UTC day to which it belongs."""
        return self.at.date()

    def landed(self) -> dict[str, Any]:
        """As a tracker sends it."""
        given = {"anonymousId": self.device, "actorId": self.actor, "ipAssetId": self.asset}
        robot = {"context": {"userAgent": "Googlebot/2.1 (+http://www.google.com/bot.html)"}} if self.is_bot else {}
        return {
            "eventType": self.kind,
            "occurredAt": self.at.isoformat(),
            "idempotencyKey": self.key,
            **{name: value for name, value in given.items() if value},
            **robot,
        }


def visitors(visits: Iterable[Visit]) -> dict[Visit, str]:
    """Return the visitor of each visit by the end of its day: of those that are nobody's and of robots' none."""
    counted = [visit for visit in visits if not visit.is_bot]
    links: dict[str, list[tuple[date, str]]] = defaultdict(list)
    for visit in counted:
        if visit.device and visit.actor:
            links[visit.device].append((visit.day, visit.actor))
    result = {}
    for visit in counted:
        actors = {visit.actor} if visit.actor else {actor for day, actor in links[visit.device] if day <= visit.day}
        if len(actors) == 1:
            result[visit] = f"actor:{min(actors)}"
        elif visit.device:
            result[visit] = f"anonymous:{visit.device}"
    return result


def land(pipeline: Pipeline, before: Sequence[Visit], after: Sequence[Visit]) -> None:
    """Write the files of the days on which the visits differ, and load them."""
    for day in sorted({visit.day for visit in set(before) ^ set(after)}):
        pipeline.land(day, [visit.landed() for visit in after if visit.day == day])
        pipeline.load(Window.day(day))


def in_pieces(window: Window, chance: random.Random) -> list[Window]:
    """The window as ranges and single days, in any order."""
    cuts = sorted(chance.sample([*window.days()][1:], 3))
    edges = [window.start, *cuts, window.end]
    pieces = [Window(start, end) for start, end in itertools.pairwise(edges)]
    chance.shuffle(pieces)
    return pieces
