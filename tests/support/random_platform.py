"""A random product with its events, and a count in Python of the platform's marts."""

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from psycopg import sql

from ingestion.application.source import connect_application
from tests.support.pipeline import START, Pipeline
from warehouse.window import ONE_DAY

DAYS = 70
DAY = [START + offset * ONE_DAY for offset in range(DAYS + 1)]
LENGTHS = {"today": 1, "7d": 7, "30d": 30, "90d": 90, "1y": 365, "all": None}
USERS, ASSETS, BRANDS, CREATORS = 14, 8, 4, 5
TOTALS = ("users", "creators", "brands", "ip_assets", "licenses")
ADJUSTMENTS = """
create table license_adjustments (
    id text, license_id text, amount_cents bigint, reason text, effective_date date, created_at timestamptz
)
"""
COLUMNS = (
    "users_total", "users_new", "users_active", "actors_unknown",
    "creators_total", "creators_active", "creators_avg_revenue_per_creator",
    "brands_total", "brands_active", "brands_avg_spend_per_brand",
    "assets_total", "assets_uploaded", "assets_avg_views_per_asset",
    "licenses_total", "licenses_created", "licenses_renewal_rate", "licenses_expiring_renewal_rate",
    "revenue_total_cents", "revenue_growth_pct",
)  # fmt: skip
Row = dict[str, Any]


@dataclass(frozen=True)
class Event:
    """One event; without an asset it is in no number but those of actors."""

    day: date
    key: str
    actor: str | None
    device: str
    asset: str | None
    cents: int
    is_bot: bool

    def landed(self) -> dict[str, Any]:
        """As a tracker sends it."""
        agent = {"context": {"userAgent": "Googlebot/2.1 (+http://www.google.com/bot.html)"}} if self.is_bot else {}
        return {
            "eventType": "asset_viewed" if self.asset else "page_viewed",
            "occurredAt": f"{self.day}T10:00:00Z",
            "idempotencyKey": self.key,
            "actorId": self.actor,
            "anonymousId": self.device,
            "ipAssetId": self.asset,
            "props": {"revenueCents": self.cents},
        } | agent


def random_events(chance: random.Random) -> list[Event]:
    return [
        Event(
            # More and more of them towards the end.
            day=DAY[chance.choice([chance.randrange(DAYS), DAYS - 1 - chance.randrange(12)])],
            key=str(number),
            actor=chance.choice([None, *(f"u{user}" for user in range(9))]),
            device=f"device-{chance.randrange(6)}",
            asset=chance.choice([None, *(f"a{asset}" for asset in range(ASSETS))]),
            cents=chance.randrange(1000),
            is_bot=chance.random() < 0.1,
        )
        for number in range(150)
    ]


def random_product(chance: random.Random) -> dict[str, dict[str, Row]]:
    """The product's tables, by name and id."""

    def day() -> date:
        return START + timedelta(days=chance.randrange(-40, DAYS + 5))

    def moment() -> datetime:
        at = chance.choice([time(0), time(12), time(23, 59, 59, 999_999)])
        return datetime.combine(day(), at, UTC)

    def created(**more: Any) -> Row:
        return {"created_at": moment(), "deleted_at": chance.choice([moment(), *[None] * 6]), **more}

    def table(name: str, rows: Iterable[Row]) -> dict[str, Row]:
        return {f"{name}{number}": {"id": f"{name}{number}", **row} for number, row in enumerate(rows)}

    licenses = [
        {
            "ip_asset_id": f"a{chance.randrange(ASSETS)}",
            "brand_id": f"b{chance.randrange(BRANDS)}",
            "parent_license_id": f"l{chance.randrange(50)}" if chance.random() < 0.6 else None,
            "fee_cents": chance.choice([None, chance.randrange(1000)]),
            # Without a start no term makes days stale, which are not what is looked at here.
            "start_date": None,
            "end_date": chance.choice([None, day(), day(), day()]),
            "created_at": moment(),
        }
        for _ in range(50)
    ]
    shares = [
        {
            "ip_asset_id": f"a{chance.randrange(ASSETS)}",
            "creator_id": f"c{chance.randrange(CREATORS)}",
            "share_bps": 5000,
            "start_date": day(),
            "end_date": chance.choice([None, None, day()]),
        }
        for _ in range(16)
    ]
    adjustments = [
        {"license_id": f"l{chance.randrange(50)}", "amount_cents": chance.randrange(-300, 300), "effective_date": day()}
        for _ in range(15)
    ]
    return {
        "users": table("u", (created() for _ in range(USERS))),
        "creators": table("c", (created(user_id=f"u{chance.randrange(6)}") for _ in range(CREATORS))),
        "brands": table("b", (created(user_id="u9") for _ in range(BRANDS))),
        "ip_assets": table("a", (created(created_by=f"u{chance.randrange(7)}") for _ in range(ASSETS))),
        "ip_ownerships": table("o", shares),
        "licenses": table("l", licenses),
        "license_adjustments": table("j", adjustments),
    }


def write(pipeline: Pipeline, product: Mapping[str, Mapping[str, Row]]) -> None:
    """Make the product's tables say so, and read them."""
    assert pipeline.warehouse.application_url is not None
    with connect_application(pipeline.warehouse.application_url) as application:
        for name, rows in product.items():
            application.execute(sql.SQL("truncate {}").format(sql.Identifier(name)))
            for row in rows.values():
                columns = sql.SQL(", ").join(map(sql.Identifier, row))
                statement = sql.SQL("insert into {} ({}) values ({})")
                places = sql.SQL(", ").join(sql.Placeholder() * len(row))
                application.execute(statement.format(sql.Identifier(name), columns, places), list(row.values()))
    pipeline.read_application(START)


def rounded(numerator: int, denominator: int | None) -> Decimal:
    if not denominator:
        return Decimal(0)
    return (Decimal(numerator) / denominator).quantize(Decimal("0.0001"), ROUND_HALF_UP)


def day_of(row: Row) -> date:
    created_at: datetime = row["created_at"]
    return created_at.date()


def periods(days: Iterable[date]) -> dict[str, tuple[date, date]]:
    days = sorted(days)
    last = days[-1]
    return {name: (last - timedelta(days=length - 1) if length else date.min, last) for name, length in LENGTHS.items()}


class Expected:
    """Return the rows that the marts have to show when these days are published."""

    def __init__(self, product: Mapping[str, Mapping[str, Row]], events: list[Event], days: set[date]) -> None:
        self.product, self.days = product, days
        self.events = [event for event in events if event.day in days and not event.is_bot]
        self.revenue = {
            day: sum(event.cents for event in self.events if event.day == day and event.asset) for day in days
        }

    def rows(self, table: str) -> list[Row]:
        """Those that are not deleted."""
        return [row for row in self.product[table].values() if row.get("deleted_at") is None]

    def platform(self) -> set[tuple[Any, ...]]:
        shown = periods(self.days).items()
        return {(last, period, *self._numbers(period, first, last)) for period, (first, last) in shown}

    def _numbers(self, period: str, first: date, last: date) -> list[Any]:
        def within(day: date | None) -> bool:
            return day is not None and first <= day <= last

        total = {table: sum(day_of(row) <= last for row in self.rows(table)) for table in TOTALS}
        licenses = self.product["licenses"]
        brands = {row["id"] for row in self.rows("brands")}
        uploaders = {row["created_by"] for row in self.product["ip_assets"].values() if within(day_of(row))}
        creators = {row["id"] for row in self.rows("creators") if row["user_id"] in uploaders}
        created = [row for row in licenses.values() if within(day_of(row))]
        active_brands = {row["brand_id"] for row in created} & brands
        spend = sum(row["fee_cents"] or 0 for row in created if row["brand_id"] in brands) + sum(
            row["amount_cents"]
            for row in self.product["license_adjustments"].values()
            if within(row["effective_date"])
            and row["license_id"] in licenses
            and licenses[row["license_id"]]["brand_id"] in brands
        )
        ended = [row for row in licenses.values() if within(row["end_date"])]
        renewed = [
            row
            for row in ended
            if any(
                other["parent_license_id"] == row["id"] != other["id"]
                and day_of(other) <= min(row["end_date"] + timedelta(days=30), last)
                for other in licenses.values()
            )
        ]
        revenue = sum(cents for day, cents in self.revenue.items() if within(day))
        start = first - (last - first + ONE_DAY) if period != "all" else first
        before = sum(cents for day, cents in self.revenue.items() if start <= day < first)
        events = [event for event in self.events if within(event.day)]
        actors = {event.actor for event in events if event.actor}
        users = {row["id"] for row in self.rows("users") if day_of(row) <= last}
        return [
            total["users"],
            sum(within(day_of(row)) for row in self.rows("users")),
            len(actors & users),
            len(actors - users),
            total["creators"],
            len(creators),
            rounded(revenue, len(creators)),
            total["brands"],
            len(active_brands),
            rounded(spend, len(active_brands)),
            total["ip_assets"],
            sum(within(day_of(row)) for row in self.rows("ip_assets")),
            rounded(sum(event.asset is not None for event in events), total["ip_assets"]),
            total["licenses"],
            len(created),
            rounded(100 * sum(row["parent_license_id"] is not None for row in created), len(created)),
            rounded(100 * len(renewed), len(ended)),
            revenue,
            rounded(100 * (revenue - before), before) if before else None,
        ]

    def timeline(self) -> set[tuple[Any, ...]]:
        return {
            (period, day, self.revenue[day])
            for period, (first, last) in periods(self.days).items()
            for day in self.days
            if first <= day <= last
        }

    def timelines(self) -> set[tuple[Any, ...]]:
        earned = {
            (creator["id"], day): sum(
                event.cents for event in self.events if event.day == day and self._owns(creator["id"], event)
            )
            for creator in self.rows("creators")
            for day in self.days
        }
        return {
            (period, day, creator, cents)
            for period, (first, last) in periods(self.days).items()
            for (creator, day), cents in earned.items()
            if first <= day <= last
        }

    def _owns(self, creator: str, event: Event) -> bool:
        return any(
            (share["creator_id"], share["ip_asset_id"]) == (creator, event.asset)
            and share["start_date"] <= event.day < (share["end_date"] or date.max)
            for share in self.product["ip_ownerships"].values()
        )
