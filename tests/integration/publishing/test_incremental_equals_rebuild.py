"""Incremental equals a full rebuild, byte for byte. However days were run, once no day is stale every table is the one
that a build of all days at once from nothing makes.
"""

import random
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from ingestion.ad_spend.loading import load_ad_spend
from ingestion.application.source import connect_application
from tests.support import application_tables
from tests.support.pipeline import START, Pipeline
from warehouse.window import ONE_DAY, Window

DAYS = 6
WINDOW = Window(START, START + DAYS * ONE_DAY)
# A line holds an event, or several.
File = tuple[date, str, list[dict[str, Any] | tuple[dict[str, Any], ...]]]


# What an event may have besides: mostly nothing. Numbers without a fraction are whole.
ODD_FIELDS: list[dict[str, Any]] = [
    {},
    {"anonymousId": "undefined"},
    {"anonymousId": "ana@mail.example"},
    {"sessionId": "00000000-0000-0000-0000-000000000000"},
    {"sessionId": "no session", "context": ["no object"]},
    {"idempotencyKey": "Null"},
    {"props": {"revenueCents": 4_200.0, "note": "call +49 30 901820, or ask 203.0.113.9"}},
    {"context": {"doNotTrack": 1.0}},
    {"source": "Web", "props": {"doNotTrack": "doubtful"}},
    {"attribution": "no object"},
]


def random_files(seed: int) -> list[File]:
    """Two landing files a day: people on a few devices, some of whom sign in, much of it around midnight; trackers'
    sessions of many days, servers, retries, late events, licenses, bots; placeholders for ids, odd names of campaigns,
    fields that are dropped, people who decline, lines of several events."""
    chance = random.Random(seed)  # noqa: S311
    files: list[File] = []
    sent: list[dict[str, Any]] = []
    for offset in range(DAYS):
        landing_date = START + offset * ONE_DAY
        for part in range(2):
            events: list[dict[str, Any]] = []
            for number in range(18):
                if sent and chance.random() < 0.1:
                    events.append(chance.choice(sent) | {"receivedAt": f"{landing_date}T23:59:00Z"})
                    continue
                lateness = chance.choice([0, 0, 0, 0, 0, 1, 3])
                day = max(START, landing_date - lateness * ONE_DAY)
                second = chance.choice(
                    [chance.randrange(86_400), chance.randrange(1_800), -1 - chance.randrange(1_800)]
                )
                at = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(seconds=second % 86_400)
                event = {
                    "eventType": chance.choice(["asset_viewed", "asset_viewed", "license_clicked", "license_created"]),
                    "occurredAt": at.isoformat(),
                    "idempotencyKey": f"{seed}-{offset}-{part}-{number}",
                    "anonymousId": f"device-{chance.randrange(5)}",
                    "props": {
                        "revenueCents": chance.randrange(10_000),
                        "engagementTime": chance.randrange(9_000) / 1000,
                        "path": f"/assets/{number % 5}",
                    },
                    # Not of every event, so that the first one of a session decides.
                    "context": {"deviceType": ("mobile", "desktop")[number % 2]} if number % 3 else {},
                }
                if chance.random() < 0.2:
                    own = int(event["anonymousId"][-1])
                    event["actorId"] = f"user-{chance.choice([own, own, own, chance.randrange(3)])}"
                    event["source"] = chance.choice(["web", "web", "api", "webhook"])
                if chance.random() < 0.15:
                    event["sessionId"] = f"{chance.randrange(2)}1111111-1111-4111-8111-111111111111"
                event |= chance.choice(
                    [
                        {"entityType": "asset", "entityId": f"asset-{chance.randrange(3)}"},
                        {"licenseId": f"license-{chance.randrange(3)}"},
                        {"projectId": "project-0", "ipAssetId": "asset-0"},
                        {},
                    ]
                )
                if chance.random() < 0.4:
                    event["attribution"] = chance.choice(
                        [
                            {"utmSource": "google", "utmMedium": "cpc"},
                            {
                                "utmSource": "WWW.Partner.example",
                                "utmMedium": "E\uff2dAIL\u00a0",
                                "utmCampaign": "Spring",
                            },
                            {"utmSource": "partner.example\u200b", "utmMedium": "email", "utmCampaign": "SPRING"},
                            {"wbraid": "w", "gadSource": "1", "referrer": "https://www.google.com/"},
                            {"referrer": "https://www.reddit.com/r/art"},
                            {"referrer": "https://m.blog.example/"},
                            {"referrer": "capacitor://localhost/"},
                            {"utmCampaign": "black+friday+2026-11-27", "referrer": "capacitor://localhost/"},
                            {"wbraid": "Cl0", "landingPage": "no address", "utmTerm": {"no": "text"}},
                        ]
                    )
                if chance.random() < 0.05:
                    event["context"] = {"userAgent": "Googlebot/2.1 (+http://www.google.com/bot.html)"}
                event |= chance.choices(ODD_FIELDS, weights=[80, *[1] * (len(ODD_FIELDS) - 1)])[0]
                events.append(event)
                sent.append(event)
            files.append((landing_date, f"part-{part}.ndjson", [*events[:-4], (*events[-4:-2],), *events[-2:]]))
    return files


def create_licenses(pipeline: Pipeline, *, asset_of: str) -> None:
    """The product's tables with three licenses for one asset; only licenses matter to these models."""
    assert pipeline.warehouse.application_url is not None
    with connect_application(pipeline.warehouse.application_url) as application:
        application.execute(f"{application_tables.DDL} truncate licenses;")  # type: ignore[arg-type]
        for number in range(3):
            application.execute(
                "insert into licenses values (%s, %s, 'brand-0', 'project-9', null, 100, 'active', %s, null, %s)",
                [f"license-{number}", asset_of, START, START],
            )
        application.commit()


# Sessions that go on after midnight, and those that a server's event has joined: the fewer of the two.
SPANNING = """
    select least(
        (select count(*) from intermediate.int_sessions where session_ended_at::date > session_date),
        (select count(*) from intermediate.int_events_attributed where session_id is not null and event_source <> 'web')
    )
"""


# Two ad groups of one campaign, the campaign in another spelling, and a channel alone. Files of a day overlap.
SPEND = """date,channel,utm_source,utm_medium,utm_campaign,cost_cents,impressions
{day},,partner.example,email,Spring,{cents},7
{day},,www.partner.example,EMAIL,spring,{cents},
{day},Email,,,,{cents},
"""


def land(pipeline: Pipeline, files: list[File]) -> None:
    """Write landing files, and load a file of spend beside each."""
    spend = pipeline.landing / "ad_spend"
    spend.mkdir(parents=True, exist_ok=True)
    for day, name, events in files:
        pipeline.land(day, events, name)
        (spend / f"{day}-{name}.csv").write_text(SPEND.format(day=day, cents=day.day * 1_000 + sum(name.encode())))
    load_ad_spend(pipeline.connection, root=pipeline.landing)


def rebuild_from_nothing(pipeline: Pipeline, files: list[File]) -> None:
    land(pipeline, files)
    pipeline.read_application(START)
    pipeline.run(WINDOW)


def day_by_day(pipeline: Pipeline, files: list[File]) -> None:
    pipeline.read_application(START)
    for day in WINDOW.days():
        land(pipeline, [file for file in files if file[0] <= day])
        pipeline.run(Window.day(day))


def backwards(pipeline: Pipeline, files: list[File]) -> None:
    land(pipeline, files)
    pipeline.read_application(START)
    for day in reversed(list(WINDOW.days())):
        pipeline.run(Window.day(day))


def twice_in_overlapping_pieces(pipeline: Pipeline, files: list[File]) -> None:
    land(pipeline, files)
    pipeline.read_application(START)
    for first, last in ((2, 5), (0, 3), (4, 6), (0, 6), (1, 2)):
        pipeline.run(Window(START + first * ONE_DAY, START + last * ONE_DAY))


def with_late_files_and_licenses(pipeline: Pipeline, files: list[File]) -> None:
    """Every second file arrives when all days are published, oldest last, and the licenses after them."""
    land(pipeline, files[::2])
    pipeline.run(WINDOW)
    for file in reversed(files[1::2]):
        land(pipeline, [file])
        pipeline.load(Window.day(file[0]))
    pipeline.catch_up()
    pipeline.read_application(START)


def with_corrected_files(pipeline: Pipeline, files: list[File]) -> None:
    """Every file is first landed with half of its events and events that are not true; then corrected."""
    wrong = {"eventType": "license_created", "licenseId": "license-1", "anonymousId": "device-1", "actorId": "user-9"}
    for day, name, events in files:
        pipeline.land(day, [*events[::2], wrong | {"occurredAt": f"{day}T12:00:00Z"}], name)
    pipeline.read_application(START)
    pipeline.run(WINDOW)
    land(pipeline, files)
    for day in WINDOW.days():
        pipeline.load(Window.day(day))


# Each route with events of its own, as many as share a reference.
Route = Callable[[Pipeline, list[File]], None]
ROUTES: dict[int, list[Route]] = {
    1: [day_by_day, with_late_files_and_licenses, with_corrected_files],
    7: [backwards, twice_in_overlapping_pieces],
}


@pytest.mark.slow
@pytest.mark.parametrize("seed", ROUTES)
def test_every_route_ends_at_the_same_tables(pipeline: Pipeline, seed: int) -> None:
    files = random_files(seed)
    create_licenses(pipeline, asset_of="asset-2")
    rebuild_from_nothing(pipeline, files)
    assert pipeline.catch_up() == [], "a rebuild from nothing leaves no day stale"
    expected = pipeline.contents()
    for table in (
        "raw.events",
        "raw.duplicate_events",
        "intermediate.int_identity_resolved",
        "intermediate.int_conversion_paths",
        "marts.daily_metrics",
        "marts.attribution_credits",
        "marts.sessions",
        "marts.sessions_daily",
        "marts.funnel_daily_by_channel",
        "marts.weekly_metrics_by_channel",
        "marts.dim_licenses",
        "marts.dim_dates",
    ):
        assert expected[table], f"this test shows nothing: {table} is empty"
    assert pipeline.rows(SPANNING) >= [(1,)], (
        "this test shows nothing: no session crosses midnight or is of a server too"
    )

    for route in ROUTES[seed]:
        # What equals a rebuild that was tested needs no tests of its own. Those on the way run on the routes of every
        # night and of corrections.
        pipeline.data_tests = route in (day_by_day, with_corrected_files)
        pipeline.wipe()
        route(pipeline, files)
        pipeline.catch_up()
        actual = pipeline.contents()
        for table, rows in expected.items():
            assert actual[table] == rows, f"{route.__name__}: {table}"
