"""A random world of creators, assets, shares and licenses, and a count in Python of their marts."""

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from tests.support.pipeline import START
from warehouse.window import ONE_DAY

DAYS = 100
CREATORS = ["creator-0", "creator-1", "creator-2", "creator-without-assets", "creator-deleted"]
ASSETS = [*(f"asset-{number}" for number in range(12)), "asset-deleted", "asset-unknown"]
LENGTHS = {"today": 1, "7d": 7, "30d": 30, "90d": 90, "1y": 365, "all": None}
MEASURES = {"asset_viewed": "views", "license_clicked": "clicks", "license_created": "conversions"}
# What an event carries of its origin, and the utm_source of it. The first two are the same channel, source and medium.
SEARCH = {"referrer": "https://www.google.com/"}
TAGGED_SEARCH = {"utmSource": "Google", "utmMedium": "organic"}
ORIGINS = [{}, {}, SEARCH, TAGGED_SEARCH, *({"utmSource": f"news-{number}"} for number in range(11))]


@dataclass(frozen=True)
class Event:
    """One event of an asset; `minute` is its time of the day, and no other event has the same."""

    day: date
    minute: int
    kind: str
    asset: str
    session: str
    cents: int
    origin: tuple[tuple[str, str], ...]
    is_bot: bool

    def landed(self) -> dict[str, Any]:
        """As a tracker sends it, or a server, which has no sessions."""
        return {
            "eventType": self.kind,
            "occurredAt": f"{self.day}T{self.minute // 60:02}:{self.minute % 60:02}:00Z",
            "idempotencyKey": str(self.minute),
            "ipAssetId": self.asset,
            "props": {"revenueCents": self.cents},
            **({"attribution": dict(self.origin)} if self.origin else {}),
            **({"sessionId": str(uuid5(NAMESPACE_OID, self.session))} if self.session else {"source": "api"}),
            **({"context": {"userAgent": "Googlebot/2.1 (+http://www.google.com/bot.html)"}} if self.is_bot else {}),
        }


@dataclass(frozen=True)
class Share:
    """Of an asset, owned until before its end."""

    id: str
    asset: str
    creator: str
    start: date
    end: date | None

    def covers(self, day: date) -> bool:
        return self.start <= day and (self.end is None or day < self.end)


@dataclass(frozen=True)
class License:
    """Of an asset, made by the product at a moment."""

    id: str
    asset: str
    created_at: datetime

    @property
    def day(self) -> date:
        return self.created_at.date()


@dataclass(frozen=True)
class World:
    """All that has happened so far, and which days are published."""

    events: Sequence[Event]
    shares: Sequence[Share]
    licenses: Sequence[License]
    published: frozenset[date] = frozenset()
    deleted_creators: frozenset[str] = frozenset({"creator-deleted"})
    deleted_assets: frozenset[str] = frozenset({"asset-deleted", "asset-unknown"})

    def owners(self, asset: str, day: date) -> set[str]:
        return {share.creator for share in self.shares if share.asset == asset and share.covers(day)}


def random_world(seed: int) -> World:
    """Sessions that go on after midnight, shares that begin, end and overlap, licenses up to the ends of their days."""
    chance = random.Random(seed)  # noqa: S311

    def offset() -> int:
        return chance.choice([chance.randrange(DAYS), DAYS - 1 - chance.randrange(12)])

    def event(minute: int) -> Event:
        begins = offset()
        # One that goes on after midnight is the same on the next day; it never comes to a third.
        ends = min(begins + chance.choice([0, 0, 1]), DAYS - 1)
        return Event(
            day=START + ends * ONE_DAY,
            minute=minute,
            kind=chance.choice(["asset_viewed", "asset_viewed", *MEASURES]),
            asset=chance.choice(ASSETS),
            session="" if chance.random() < 0.1 else f"session {chance.randrange(2)} since {begins}",
            cents=chance.choice([0, 0, 100, chance.randrange(1000)]),
            origin=tuple(chance.choice(ORIGINS).items()),
            is_bot=chance.random() < 0.05,
        )

    def share(number: int) -> Share:
        start = START + (offset() - 40) * ONE_DAY
        length = chance.choice([None, None, 0, 1, chance.randrange(60)])
        end = None if length is None else start + length * ONE_DAY
        return Share(f"share-{number}", chance.choice(ASSETS), chance.choice(CREATORS[:3] + CREATORS[4:]), start, end)

    def license_(number: int) -> License:
        moment = timedelta(days=offset() + chance.choice([0, 0, 3]), microseconds=chance.choice([0, -1, 12 * 10**9]))
        return License(
            f"license-{number}", chance.choice(ASSETS), datetime.combine(START, datetime.min.time(), UTC) + moment
        )

    return World(
        events=[event(minute) for minute in range(300)],
        # Everything that there is belongs to the first creator from some day on: more than ten assets.
        shares=[
            *(share(number) for number in range(40)),
            *(Share(f"all-{asset}", asset, "creator-0", START + 60 * ONE_DAY, None) for asset in ASSETS),
            Share("of-late", "asset-2", "creator-2", START + (DAYS - 6) * ONE_DAY, None),
        ],
        licenses=[license_(number) for number in range(60)],
    )


def sources(events: Iterable[Event]) -> dict[str, str]:
    """The utm_source of the first event of each session that says where it came from."""
    found: dict[str, str] = {}
    for event in sorted(events, key=lambda of: (of.day, of.minute)):
        if event.origin and not event.is_bot:
            found.setdefault(event.session, dict(event.origin).get("utmSource", "direct").lower())
    return found | {"": "direct"}


def percentage(part: int, whole: int) -> Decimal:
    return (Decimal(100 * part) / whole).quantize(Decimal("0.0001"), ROUND_HALF_UP) if whole else Decimal(0)


def expected(world: World) -> dict[str, set[tuple[Any, ...]]]:
    """The rows of every mart of the creators."""
    last = max(world.published)
    counted = [event for event in world.events if not event.is_bot]
    # A session of the last day is seen to its end; one that began before the first day is seen from there.
    source_of = sources(event for event in counted if min(world.published) <= event.day <= last + ONE_DAY)
    shown = [event for event in counted if event.day in world.published]
    owners = {event: world.owners(event.asset, event.day) for event in shown}
    licensed = {license_: world.owners(license_.asset, license_.day) for license_ in world.licenses}

    days: dict[tuple[date, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for event in shown:
        for creator in owners[event]:
            days[event.day, creator][MEASURES[event.kind]] += 1
            days[event.day, creator]["revenue_cents"] += event.cents
    rows: dict[str, set[tuple[Any, ...]]] = {
        "creator_daily_metrics": {
            (day, creator, of["views"], of["clicks"], of["conversions"], of["revenue_cents"])
            for (day, creator), of in days.items()
        },
        **{mart: set() for mart in ("creator_dashboard", "creator_top_assets", "creator_traffic_sources")},
    }
    for period, length in LENGTHS.items():
        first = last - timedelta(days=length - 1) if length else START - 999 * ONE_DAY
        of_period = [event for event in shown if event.day >= first]
        for creator in {*CREATORS} - world.deleted_creators:
            key = (last, period, creator)
            theirs = [event for event in of_period if creator in owners[event]]
            licenses = [of for of, by in licensed.items() if creator in by and first <= of.day <= last]
            views = sum(event.kind == "asset_viewed" for event in theirs)
            revenue = sum(event.cents for event in theirs)
            rate = percentage(len(licenses), views)
            rows["creator_dashboard"].add((*key, f"Name of {creator}", views, len(licenses), revenue, rate))

            every_day = [first + number * ONE_DAY for number in range((last - first).days + 1)]
            assets = {
                share.asset
                for share in world.shares
                if share.creator == creator and any(share.covers(day) for day in every_day)
            } - world.deleted_assets
            numbers = {
                asset: (
                    sum(event.kind == "asset_viewed" for event in theirs if event.asset == asset),
                    sum(license_.asset == asset for license_ in licenses),
                    sum(event.cents for event in theirs if event.asset == asset),
                )
                for asset in assets
            }
            best = sorted(assets, key=lambda asset: (-numbers[asset][2], title(asset), asset))[:10]
            rows["creator_top_assets"] |= {
                (*key, asset, title(asset), rank, *numbers[asset]) for rank, asset in enumerate(best, 1)
            }

            sessions: dict[str, set[tuple[date, str]]] = defaultdict(set)
            conversions: dict[str, int] = defaultdict(int)
            for event in theirs:
                source = source_of.get(event.session, "direct")
                sessions[source] |= {(event.day, event.session)} if event.session else set()
                conversions[source] += event.kind == "license_created"
            named = [source for source in sessions if sessions[source] or conversions[source]]
            most = sorted(named, key=lambda source: (-len(sessions[source]), source))[:10]
            rows["creator_traffic_sources"] |= {
                (*key, source, rank, len(sessions[source]), conversions[source]) for rank, source in enumerate(most, 1)
            }
    return rows


def title(asset: str) -> str:
    """Two and two have the same."""
    return f"Title {ASSETS.index(asset) // 2}"
