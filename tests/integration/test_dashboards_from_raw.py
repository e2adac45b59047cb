"""The dashboards against the formulas of the contract as plain SQL over schema raw: a quarter, built as one range, for
every asset, creator, brand and period. What is expected is read from no model and no mart.
"""

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from ingestion.application.reader import connect_application
from ingestion.window import ONE_DAY, Window
from tests import application_tables
from tests.dashboard_formulas import EXPECTED, FACTS, OWNED, span_query
from tests.pipeline import START, Pipeline

# October to December: weeks that reach into two months, and a period of 90 days that is not all of them.
DAYS = 92
QUARTER = Window(START, START + DAYS * ONE_DAY)
LAST = QUARTER.end - ONE_DAY
HOSTS = ["https://www.a.example/x", "https://b.example", "https://sub.c.example/y?z", "https://d.example/"]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.models(
        "asset_metrics",
        "asset_top_referrers",
        "weekly_metrics",
        "monthly_metrics",
        "daily_metrics_by_channel",
        "creator_daily_metrics",
        "creator_dashboard",
        "creator_top_assets",
        "creator_revenue_timeline",
        "brand_campaign_metrics",
        "brand_campaign_assets",
        "platform_revenue_timeline",
    ),
]


def shown(mart: str) -> str:
    if mart not in ("weekly_metrics", "monthly_metrics"):
        return f"select * from marts.{mart}"
    measures = ("views", "clicks", "conversions", "revenue_cents", "unique_visitors", "engagement_time")
    growth = (f"{'revenue' if m == 'revenue_cents' else m}_growth_pct" for m in measures)
    columns = (*measures, *(f"avg_daily_{m}" for m in measures), *growth)
    names = ", ".join(("metric_date", "project_id", "ip_asset_id", "license_id", "published_days", *columns))
    return f"select {names} from marts.{mart}"


def random_events(chance: random.Random) -> list[dict[str, Any]]:
    """A few a day, of people on devices, some of whom sign in later or share one; servers, crawlers, licenses alone."""
    events = []
    for number in range(DAYS * 7):
        day = START + timedelta(days=chance.randrange(DAYS))
        second = chance.choice([0, 86_399, chance.randrange(86_400)])
        device = chance.randrange(9)
        event: dict[str, Any] = {
            "eventType": chance.choice(
                ["asset_viewed"] * 4 + ["asset_downloaded", "license_clicked", "license_created", "page_viewed"]
            ),
            "occurredAt": (datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(seconds=second)).isoformat(),
            "idempotencyKey": str(number),
            "anonymousId": f"device-{device}",
            "props": {"revenueCents": chance.randrange(5_000), "engagementTime": chance.randrange(9_000) / 1000},
        }
        event |= chance.choice(
            [
                *[{"ipAssetId": f"asset-{chance.randrange(6)}"}] * 4,
                {"licenseId": f"license-{chance.randrange(14)}"},
                {"ipAssetId": f"asset-{chance.randrange(3)}", "projectId": "project-0"},
                {},
            ]
        )
        if chance.random() < 0.15:
            event["actorId"] = f"user-{chance.choice([device, device, device // 2])}"
        if chance.random() < 0.4:
            event["attribution"] = {"referrer": chance.choice(HOSTS)}
        if chance.random() < 0.05:
            event["context"] = {"userAgent": "Googlebot/2.1 (+http://www.google.com/bot.html)"}
        events.append(event)
    return events


def create_application(pipeline: Pipeline, chance: random.Random) -> None:
    """Assets, one without events and one deleted, whose shares change hands; creators, one without assets; brands, one
    without a project, one with nothing; licenses of all kinds of terms, with refunds."""
    day = [START + timedelta(days=offset) for offset in range(DAYS + 30)]
    shares = [
        (asset, creator, chance.choice([None, *day[:30]]) or START, chance.choice([None, None, *day[40:]]))
        for asset in range(6)
        for creator in chance.sample(range(4), chance.choice([1, 1, 2, 3]))
    ]
    # Sold at noon, and bought back by the same; twice a share of the same.
    shares += [(0, 0, day[50], day[51]), (0, 0, day[20], None), (7, 1, day[0], day[0])]
    licenses = [
        (
            f"license-{number}",
            f"asset-{chance.randrange(6)}",
            (brand := chance.randrange(4)),
            chance.choice([None, f"project-{brand}"]) if brand < 2 else None,
            chance.choice([0, 5_000, 12_345]),
            (start := chance.choice(day[:DAYS])),
            chance.choice([None, start, start + timedelta(days=chance.randrange(60))]),
            start - timedelta(days=chance.randrange(10)),
        )
        for number in range(14)
    ]
    assert pipeline.warehouse.application_url is not None
    with connect_application(pipeline.warehouse.application_url) as application, application.cursor() as cursor:
        cursor.execute(application_tables.DDL)  # type: ignore[arg-type]
        cursor.execute(
            "create table license_adjustments (id text, license_id text, amount_cents bigint, reason text,"
            " effective_date date, created_at timestamptz);"
            "insert into ip_assets select 'asset-' || n, 'Title ' || n % 3, 'image', 'user', now(),"
            " case when n = 5 then now() end from generate_series(0, 6) as n;"
            "insert into creators select 'creator-' || n, 'user-' || n, 'Creator ' || n, now(),"
            " case when n = 3 then now() end from generate_series(0, 4) as n;"
            "insert into brands select 'brand-' || n, 'user-' || n, 'Brand ' || n, now(),"
            " case when n = 3 then now() end from generate_series(0, 4) as n;"
            "insert into projects select 'project-' || n, 'brand-' || n, 'Project ' || n, 0, now()"
            " from generate_series(0, 1) as n"
        )
        cursor.executemany(
            "insert into ip_ownerships values (%s, 'asset-' || %s, 'creator-' || %s, 1000, %s, %s)",
            [(str(number), str(asset), str(creator), *term) for number, (asset, creator, *term) in enumerate(shares)],
        )
        cursor.executemany(
            "insert into licenses values (%s, %s, 'brand-' || %s, %s, null, %s, 'active', %s, %s, %s)",
            [(of, asset, str(brand), *rest) for of, asset, brand, *rest in licenses],
        )
        cursor.executemany(
            "insert into license_adjustments values (%s, %s, %s, 'refund', %s, now())",
            [
                (str(number), f"license-{chance.randrange(14)}", chance.randrange(-3_000, 3_000), chance.choice(day))
                for number in range(8)
            ],
        )
        application.commit()


def test_every_dashboard_of_a_quarter_is_what_the_formulas_make_of_raw(pipeline: Pipeline) -> None:
    chance = random.Random(11)  # noqa: S311
    create_application(pipeline, chance)
    pipeline.read_application(START)
    for event in random_events(chance):
        pipeline.land(datetime.fromisoformat(event["occurredAt"]).date(), [event], f"{event['idempotencyKey']}.ndjson")
    pipeline.run(QUARTER)

    pipeline.connection.execute(FACTS)  # type: ignore[arg-type]
    pipeline.connection.execute(OWNED)
    for period, length in {"today": 1, "7d": 7, "30d": 30, "90d": 90, "1y": 365, "all": DAYS}.items():
        first = LAST - timedelta(days=length - 1)
        pipeline.connection.execute("insert into spans values (%s, %s, %s)", [period, first, LAST])
    expected = EXPECTED | {
        "weekly_metrics": span_query("week", QUARTER),
        "monthly_metrics": span_query("month", QUARTER),
    }
    for mart, query in expected.items():
        rows = [_plain(row) for row in pipeline.rows(query)]
        assert len(rows) == len(set(rows)) > 1, f"this test shows nothing: {mart}"
        assert {_plain(row) for row in pipeline.rows(shown(mart))} == set(rows), mart


def _plain(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(value.normalize() if isinstance(value, Decimal) else value for value in row)
