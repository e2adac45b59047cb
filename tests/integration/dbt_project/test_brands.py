"""Costs and results of campaigns against a count in Python, over random licenses, adjustments and events, whatever the
product changes when the days are published.
"""

import random
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import psycopg
import pytest
from psycopg import sql

from ingestion.application.source import connect_application
from tests.support import application_tables
from tests.support.longer_periods import assert_longer_periods_have_no_less
from tests.support.pipeline import START, Pipeline
from warehouse.window import ONE_DAY, Window

DAYS = 100
LENGTHS = {"today": 1, "7d": 7, "30d": 30, "90d": 90, "1y": 365, "all": None}
TYPES = {"asset_viewed": "views", "license_clicked": "clicks", "license_created": "conversions", "page_viewed": "none"}
ADJUSTMENTS = """
create table license_adjustments (
    id text, license_id text, amount_cents bigint, reason text, effective_date date, created_at timestamptz
)
"""
# The brand each project is of. One brand has none, and one is deleted.
PROJECTS = {"p0": "b0", "p1": "b0", "p2": "b1", "p3": "deleted"}
BRANDS = ("b0", "b1", "without-projects", "without-anything", "deleted")
ASSETS = ("a0", "a1", "a2", "a3", "deleted")

pytestmark = pytest.mark.models("brand_campaign_metrics", "brand_campaign_assets", "daily_metrics_by_channel")


@dataclass
class License:
    """A row of the product's table; columns that no number depends on are left out."""

    id: str
    ip_asset_id: str
    brand_id: str
    project_id: str | None
    fee_cents: int | None
    start_date: date | None
    end_date: date | None
    created_at: datetime

    def covers(self, day: date) -> bool:
        """Return whether a day is within the term."""
        return bool(self.start_date and self.start_date <= day and (self.end_date is None or day < self.end_date))

    @property
    def campaign(self) -> tuple[str, str | None]:
        return self.brand_id, self.project_id


@dataclass(frozen=True)
class Adjustment:
    """A row of the product's table."""

    id: str
    license_id: str
    amount_cents: int
    effective_date: date


@dataclass(frozen=True)
class Event:
    """One event on an asset."""

    day: date
    kind: str
    asset: str
    cents: int


class Product:
    """The product's licenses, as drawn and redrawn by chance."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.licenses: dict[str, License] = {}
        # The first fee that a license was seen with: later fees are none of ours.
        self.first_fees: dict[str, int | None] = {}
        for _ in range(24):
            self.add()
        self.adjustments = [
            Adjustment(str(number), f"license-{chance.randrange(26)}", chance.randrange(-400, 400), self._day())
            for number in range(20)
        ]

    def _day(self) -> date:
        return START + timedelta(days=self.chance.randrange(-20, DAYS + 10))

    def _campaign(self) -> tuple[str, str | None]:
        brand = self.chance.choice([brand for brand in BRANDS if brand != "without-anything"])
        return brand, self.chance.choice([None, *(project for project, of in PROJECTS.items() if of == brand)])

    def _term(self) -> tuple[date | None, date | None]:
        start = self._day()
        length = self.chance.choice([None, None, -3, 0, 1, 20, 60])
        return self.chance.choice([start] * 7 + [None]), None if length is None else start + timedelta(days=length)

    def add(self) -> None:
        """A license that is new, and may have begun long ago."""
        at = time(*self.chance.choice([(0, 0, 0, 0), (12, 0, 0, 0), (23, 59, 59, 999_999)]))
        fee = self.chance.choice([None, 0, *(self.chance.randrange(1000) for _ in range(6))])
        name = f"license-{len(self.first_fees)}"
        self.first_fees[name] = fee
        asset, created_at = self.chance.choice(ASSETS), datetime.combine(self._day(), at, UTC)
        self.licenses[name] = License(name, asset, *self._campaign(), fee, *self._term(), created_at)

    def change(self) -> None:
        """Changes that a product makes to its licenses from one night to the next."""
        kinds = ("end", "end", "term", "asset", "campaign", "removed", "fee", "new", "new")
        chosen = self.chance.sample(sorted(self.licenses), len(kinds))
        for kind, license_ in zip(kinds, (self.licenses[name] for name in chosen), strict=True):
            match kind:
                case "end":
                    license_.end_date = self._day()
                case "term":
                    license_.start_date, license_.end_date = self._term()
                case "asset":
                    license_.ip_asset_id = self.chance.choice(ASSETS)
                case "campaign":
                    license_.brand_id, license_.project_id = self._campaign()
                case "removed":
                    del self.licenses[license_.id]
                case "fee":
                    license_.fee_cents = 1_000_000
                    if self.first_fees[license_.id] is None:
                        self.first_fees[license_.id] = 1_000_000
                case "new":
                    self.add()

    def write(self, pipeline: Pipeline) -> None:
        """Make the product's tables say so, and read them."""
        with _application(pipeline) as application:
            application.execute("truncate licenses, license_adjustments")
            for table, rows in (("licenses", self.licenses.values()), ("license_adjustments", self.adjustments)):
                for row in rows:
                    names = sql.SQL(", ").join(sql.Identifier(field.name) for field in fields(row))
                    places = sql.SQL(", ").join(sql.Placeholder() * len(fields(row)))
                    insert = sql.SQL("insert into {} ({}) values ({})")
                    application.execute(insert.format(sql.Identifier(table), names, places), astuple(row))
        pipeline.read_application(START)


def _application(pipeline: Pipeline) -> psycopg.Connection:
    assert pipeline.warehouse.application_url is not None
    return connect_application(pipeline.warehouse.application_url)


def random_events(chance: random.Random) -> list[Event]:
    """In a few weeks of the days: those without are never stale, and those with them are few runs."""
    days = [START + (first + offset) * ONE_DAY for first in (0, 60, DAYS - 7) for offset in range(7)]
    return [
        Event(chance.choice(days), chance.choice(list(TYPES)), chance.choice(ASSETS), chance.randrange(500))
        for _ in range(120)
    ]


def land(pipeline: Pipeline, events: Iterable[Event]) -> None:
    by_day: dict[date, list[dict[str, Any]]] = {}
    for number, event in enumerate(events):
        landed = {
            "eventType": event.kind,
            "occurredAt": f"{event.day}T10:00:00Z",
            "idempotencyKey": str(number),
            "anonymousId": "visitor",
            "ipAssetId": event.asset,
            "props": {"revenueCents": event.cents},
        }
        by_day.setdefault(event.day, []).append(landed)
    for day, of_day in by_day.items():
        pipeline.land(day, of_day)


def periods(last: date) -> dict[str, tuple[date, date]]:
    return {name: (last - timedelta(days=days - 1) if days else date.min, last) for name, days in LENGTHS.items()}


def percentage(numerator: int, denominator: int) -> Decimal:
    if denominator == 0:
        return Decimal(0)
    return (Decimal(100 * numerator) / denominator).quantize(Decimal("0.0001"), ROUND_HALF_UP)


def licensed(product: Product, event: Event, campaign: tuple[str, str | None]) -> bool:
    return any(
        license_.campaign == campaign and license_.ip_asset_id == event.asset and license_.covers(event.day)
        for license_ in product.licenses.values()
    )


def measured(events: Sequence[Event]) -> dict[str, int]:
    return {name: sum(TYPES[event.kind] == name for event in events) for name in TYPES.values()} | {
        "revenue_cents": sum(event.cents for event in events)
    }


def expected_metrics(product: Product, events: list[Event], last: date) -> set[tuple[Any, ...]]:
    campaigns = {(brand, project) for project, brand in PROJECTS.items()}
    campaigns |= {license_.campaign for license_ in product.licenses.values()}
    campaigns |= {(brand, None) for brand in BRANDS if brand not in PROJECTS.values()}
    rows = set()
    for brand, project in campaigns:
        own = [license_ for license_ in product.licenses.values() if license_.campaign == (brand, project)]
        ids = {license_.id for license_ in own}
        for period, (first, end) in periods(last).items():
            spend = sum(product.first_fees[row.id] or 0 for row in own if first <= row.created_at.date() <= end)
            spend += sum(
                row.amount_cents
                for row in product.adjustments
                if row.license_id in ids and first <= row.effective_date <= end
            )
            of = measured(
                [event for event in events if first <= event.day <= end and licensed(product, event, (brand, project))]
            )
            numbers = (of["views"], of["clicks"], of["conversions"], of["revenue_cents"])
            name = f"Name of {project}" if project else None
            roi = percentage(of["revenue_cents"] - spend, spend)
            if brand != "deleted":
                rows.add((last, period, brand, project, name, spend, *numbers, roi))
    return rows


def expected_assets(product: Product, events: list[Event], last: date) -> set[tuple[Any, ...]]:
    rows = set()
    for license_ in product.licenses.values():
        for period, (first, end) in periods(last).items():
            on_asset = [e for e in events if e.asset == license_.ip_asset_id and first <= e.day <= end]
            of = measured([event for event in on_asset if licensed(product, event, license_.campaign)])
            ctr = percentage(of["clicks"], of["views"])
            if "deleted" not in (license_.brand_id, license_.ip_asset_id):
                title = f"Title of {license_.ip_asset_id}"
                rows.add(
                    (last, period, *license_.campaign, license_.ip_asset_id, title, of["views"], of["clicks"], ctr)
                )
    return rows


def assert_counted(pipeline: Pipeline, product: Product, events: list[Event], last: date) -> None:
    """Both marts say what the events up to the last day say under the terms as they are now."""
    seen = [event for event in events if event.day <= last]
    for mart, expected in (
        ("brand_campaign_metrics", expected_metrics(product, seen, last)),
        ("brand_campaign_assets", expected_assets(product, seen, last)),
    ):
        shown = pipeline.rows(f"select * from marts.{mart}")
        assert len(shown) == len(set(shown))
        assert set(shown) == expected, mart
    assert_longer_periods_have_no_less(pipeline, "brand_campaign_metrics", "brand_campaign_assets")


def create_product(pipeline: Pipeline) -> None:
    with _application(pipeline) as application:
        application.execute(application_tables.DDL + ADJUSTMENTS)
        for brand in BRANDS:
            application.execute("insert into brands (id) values (%s)", [brand])
        for asset in ASSETS:
            application.execute("insert into ip_assets (id, title) values (%s, %s)", [asset, f"Title of {asset}"])
        for project, brand in PROJECTS.items():
            named = [project, brand, f"Name of {project}"]
            application.execute("insert into projects (id, brand_id, name) values (%s, %s, %s)", named)
        application.execute("update brands set deleted_at = now() where id = 'deleted'")
        application.execute("update ip_assets set deleted_at = now() where id = 'deleted'")


def test_campaigns_show_what_happened_within_their_terms_as_last_known(pipeline: Pipeline) -> None:
    chance = random.Random(11)  # noqa: S311
    events = random_events(chance)
    product = Product(chance)
    create_product(pipeline)
    product.write(pipeline)
    land(pipeline, events)

    # The rest of a month, whole months and single days, in this order or another.
    day = {offset: START + offset * ONE_DAY for offset in range(DAYS + 1)}
    pipeline.run(Window(day[0], day[96]))
    assert_counted(pipeline, product, events, day[95])
    pipeline.run(Window(day[97], day[DAYS]))
    pipeline.run(Window.day(day[96]))
    assert_counted(pipeline, product, events, day[DAYS - 1])

    # Terms and campaigns become others after the fact, fees are changed in place, licenses come late and go.
    pipeline.data_tests = False
    for _ in range(3):
        product.change()
        product.write(pipeline)
        assert len(pipeline.catch_up()) > 1
        assert_counted(pipeline, product, events, day[DAYS - 1])

    ran = pipeline.contents(["build", "rollups", "marts"])
    pipeline.run(Window(day[0], day[DAYS]), load=False)
    assert pipeline.contents(["build", "rollups", "marts"]) == ran
