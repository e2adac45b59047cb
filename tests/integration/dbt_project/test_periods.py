"""Weeks, months and periods against a count in Python of the events that were landed: more than a year of them, in
whatever order days are published, corrected, held back and late.
"""

import random
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import psycopg
import pytest

from ingestion.application.source import connect_application
from tests.support import application_tables
from tests.support.longer_periods import assert_longer_periods_have_no_less
from tests.support.pipeline import START, Pipeline
from warehouse.window import ONE_DAY, Window
from warehouse.writer_lock import writing

DAYS = 430
HOSTS = ["www.a.example", "b.example", "c.example", "d.example", "e.example", "f.example", "g.example", "h.example",
         "i.example", "j.example", "k.example", "", ""]  # fmt: skip
LENGTHS = {"today": 1, "7d": 7, "30d": 30, "90d": 90, "1y": 365, "all": None}
MEASURES = ("views", "clicks", "conversions", "revenue_cents", "unique_visitors", "engagement_time")
TYPES = {"asset_viewed": "views", "license_clicked": "clicks", "license_created": "conversions"}

pytestmark = pytest.mark.models(
    "asset_metrics", "asset_top_referrers", "weekly_metrics", "monthly_metrics", "daily_metrics_by_channel"
)


@dataclass(frozen=True)
class Event:
    """One event of a visitor on an asset."""

    day: date
    key: str
    kind: str
    asset: str
    visitor: str
    cents: int
    seconds: Decimal
    host: str

    def landed(self) -> dict[str, Any]:
        """As a tracker sends it."""
        attribution = {"attribution": {"referrer": f"https://{self.host}/page"}} if self.host else {}
        return {
            "eventType": self.kind,
            "occurredAt": f"{self.day}T10:00:00Z",
            "idempotencyKey": self.key,
            "anonymousId": self.visitor,
            "ipAssetId": self.asset,
            "props": {"revenueCents": self.cents, "engagementTime": float(self.seconds)},
        } | attribution


def random_events(seed: int) -> list[Event]:
    """More and more of them towards the end, of visitors who come back after days or after a year."""
    chance = random.Random(seed)  # noqa: S311
    offsets = [*(chance.randrange(DAYS) for _ in range(60)), *(DAYS - 1 - chance.randrange(40) for _ in range(60))]
    return [
        Event(
            day=START + offset * ONE_DAY,
            key=str(number),
            kind=chance.choice(["asset_viewed", "asset_viewed", "asset_viewed", *TYPES]),
            asset=f"asset-{chance.randrange(4)}",
            visitor=f"visitor-{chance.randrange(7)}",
            cents=chance.randrange(1000),
            seconds=Decimal(chance.randrange(9000)) / 1000,
            host=chance.choice(HOSTS),
        )
        for number, offset in enumerate(offsets)
    ]


def rounded(numerator: Decimal | int, denominator: Decimal | int) -> Decimal:
    return (Decimal(numerator) / Decimal(denominator)).quantize(Decimal("0.0001"), ROUND_HALF_UP)


def measured(events: Iterable[Event]) -> dict[str, Any]:
    events = list(events)
    counts = {measure: sum(TYPES[event.kind] == measure for event in events) for measure in TYPES.values()}
    return counts | {
        "revenue_cents": sum(event.cents for event in events),
        "unique_visitors": len({event.visitor for event in events}),
        "engagement_time": sum((event.seconds for event in events), Decimal(0)),
    }


def expected_assets(events: list[Event], days: list[date], assets: Iterable[str]) -> set[tuple[Any, ...]]:
    last, rows = max(days), set()
    for period, length in LENGTHS.items():
        first = last - timedelta(days=length - 1) if length else min(days)
        for asset in assets:
            of = measured(event for event in events if event.asset == asset and first <= event.day <= last)
            views, visitors = of["views"], of["unique_visitors"]
            rows.add(
                (
                    *(last, period, asset, f"Title of {asset}"),
                    *(of[measure] for measure in MEASURES[:-1]),
                    rounded(of["engagement_time"], visitors) if visitors else 0,
                    rounded(100 * of["conversions"], views) if views else 0,
                    rounded(100 * of["clicks"], views) if views else 0,
                )
            )
    return rows


def expected_referrers(events: list[Event], days: list[date], assets: Iterable[str]) -> set[tuple[Any, ...]]:
    last, rows = max(days), set()
    for period, length in LENGTHS.items():
        first = last - timedelta(days=length - 1) if length else min(days)
        for asset in assets:
            views: dict[str, int] = defaultdict(int)
            for event in events:
                if event.asset == asset and event.kind == "asset_viewed" and first <= event.day <= last:
                    views[event.host.removeprefix("www.") or "direct"] += 1
            best = sorted(views.items(), key=lambda item: (-item[1], item[0]))[:10]
            rows |= {(last, period, asset, host, rank, count) for rank, (host, count) in enumerate(best, 1)}
    return rows


def expected_spans(events: list[Event], days: list[date], start_of: Callable[[date], date]) -> set[tuple[Any, ...]]:
    groups: dict[tuple[date, str], list[Event]] = defaultdict(list)
    for event in events:
        groups[start_of(event.day), event.asset].append(event)
    numbers = {group: measured(of) for group, of in groups.items()}
    rows = set()
    for (start, asset), of in numbers.items():
        length = sum(start_of(day) == start for day in days)
        before = numbers.get((start_of(start - ONE_DAY), asset))
        by_day = [[event for event in groups[start, asset] if event.day == day] for day in days]
        daily = of | {"unique_visitors": sum(measured(events_of_day)["unique_visitors"] for events_of_day in by_day)}
        growth = [
            rounded(100 * (of[measure] - before[measure]), before[measure]) if before and before[measure] else None
            for measure in MEASURES
        ]
        averages = [rounded(daily[measure], length) for measure in MEASURES]
        rows.add((start, asset, length, *(of[measure] for measure in MEASURES), *averages, *growth))
    return rows


def assert_counted(pipeline: Pipeline, events: list[Event], days: Iterable[date], assets: Iterable[str]) -> None:
    """Every number that is published is that of the events of these days."""
    days = sorted(days)
    events = [event for event in events if event.day in set(days)]
    shown = pipeline.rows(
        "select metric_date, period, ip_asset_id, title, total_views, total_clicks, total_conversions,"
        " total_revenue_cents, unique_visitors, avg_engagement_time, conversion_rate, click_through_rate"
        " from marts.asset_metrics"
    )
    assert len(shown) == len(set(shown))
    assert set(shown) == expected_assets(events, days, assets)
    referrers = "select metric_date, period, ip_asset_id, referrer, rank, views from marts.asset_top_referrers"
    assert set(pipeline.rows(referrers)) == expected_referrers(events, days, assets)
    assert_longer_periods_have_no_less(pipeline, "asset_metrics", "asset_top_referrers")
    columns = (
        *MEASURES,
        *(f"avg_daily_{name}" for name in MEASURES),
        *(f"{_short(name)}_growth_pct" for name in MEASURES),
    )
    for mart, start_of in (("weekly_metrics", _monday), ("monthly_metrics", _month)):
        rows = pipeline.rows(f"select metric_date, ip_asset_id, published_days, {', '.join(columns)} from marts.{mart}")
        assert set(rows) == expected_spans(events, days, start_of), mart


def _short(measure: str) -> str:
    return "revenue" if measure == "revenue_cents" else measure


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _month(day: date) -> date:
    return day.replace(day=1)


def land(pipeline: Pipeline, events: Iterable[Event], name: str = "part-0.ndjson") -> None:
    by_day: dict[date, list[Event]] = defaultdict(list)
    for event in events:
        by_day[event.day].append(event)
    for day, of in by_day.items():
        pipeline.land(day, [event.landed() for event in of], name)


def change_assets(pipeline: Pipeline, statement: str) -> None:
    assert pipeline.warehouse.application_url is not None
    with connect_application(pipeline.warehouse.application_url) as application:
        application.execute(statement)  # type: ignore[arg-type]
        application.commit()
    pipeline.read_application(START)


@pytest.mark.slow
def test_whatever_is_published_when_all_numbers_are_those_of_the_published_days(pipeline: Pipeline) -> None:
    day = {offset: START + offset * ONE_DAY for offset in range(DAYS + 1)}
    events = random_events(7)
    assets = ["asset-0", "asset-1", "asset-2", "asset-without-events"]
    change_assets(pipeline, application_tables.DDL)
    change_assets(
        pipeline,
        "insert into ip_assets select id, 'Title of ' || id, 'image', 'user', now(), null"
        f" from unnest(array{[*assets, 'asset-3']}) as id; update ip_assets set deleted_at = now()"
        " where id = 'asset-3'",
    )
    land(pipeline, events)

    # A range with a day missing in it, then day by day, then the missing one, then a range at the end.
    pipeline.run(Window(day[0], day[300]))
    pipeline.run(Window(day[301], day[398]))
    published = {day[offset] for offset in range(398)} - {day[300]}
    assert_counted(pipeline, events, published, assets)
    for next_day in (day[398], day[300], day[399]):
        pipeline.run(Window.day(next_day))
        published.add(next_day)
        assert_counted(pipeline, events, published, assets)
    pipeline.run(Window(day[400], day[DAYS]))
    published |= {day[offset] for offset in range(400, DAYS)}
    assert_counted(pipeline, events, published, assets)

    # A day that was built and not published is not there for its neighbour.
    busiest = max(published, key=lambda of: sum(event.day == of for event in events))
    more = [Event(busiest, f"more {n}", "asset_viewed", "asset-1", f"new-{n}", 5, Decimal(1), "") for n in range(3)]
    land(pipeline, more, "more.ndjson")
    pipeline.load(Window.day(busiest))
    with pipeline.warehouse.connect(autocommit=True) as lock, writing(lock, "held back", log=print):
        pipeline.build(Window.day(busiest), "held back")
    pipeline.run(Window.day(busiest - ONE_DAY), load=False)
    assert_counted(pipeline, events, published, assets)
    pipeline.catch_up()
    events += more
    assert_counted(pipeline, events, published, assets)

    # What is gone again takes along last days of visitors: of some there are earlier ones, of others none.
    gone = {*sorted(event.day for event in events if event.visitor == "visitor-2")[-2:], busiest}
    left = [event for event in events if event.day not in gone or (event.visitor != "visitor-2" and event not in more)]
    for corrected in gone:
        kept = [event for event in left if event.day == corrected]
        pipeline.land(corrected, [event.landed() for event in kept])
        pipeline.load(Window.day(corrected))
    pipeline.land(busiest, [], "more.ndjson")
    pipeline.load(Window.day(busiest))
    assert pipeline.catch_up()
    assert_counted(pipeline, left, published, assets)

    # The product deletes one asset and another comes back; nothing else has happened.
    change_assets(
        pipeline,
        "update ip_assets set deleted_at = case when id = 'asset-1' then now() end where id in ('asset-1', 'asset-3')",
    )
    assert pipeline.catch_up() == [Window.day(day[DAYS - 1])]
    assets = ["asset-0", "asset-2", "asset-3", "asset-without-events"]
    assert_counted(pipeline, left, published, assets)

    # All of it made anew from nothing but what was landed.
    carried_on = pipeline.contents(["rollups", "marts"])
    pipeline.run(Window(day[0], day[DAYS]), load=False)
    assert pipeline.contents(["rollups", "marts"]) == carried_on

    # None of it is to be read by whoever reads marts.
    with psycopg.connect(pipeline.warehouse.bi_dsn) as bi, pytest.raises(psycopg.errors.InsufficientPrivilege):
        bi.execute("select from rollups.visitor_asset_days")
