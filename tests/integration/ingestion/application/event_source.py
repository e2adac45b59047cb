"""Tables `events` and `attribution` of an application, and their extraction to landing files."""

import gzip
import json
import random
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import sql
from psycopg.types.json import Jsonb

from ingestion.application.events import (
    FILE_NAME,
    ExtractionReport,
    extract_events,
    loaded_lines,
)
from ingestion.application.source import connect_application
from ingestion.landing.files import LandingRoot
from tests.support.pipeline import START, Pipeline
from warehouse.window import ONE_DAY, Window

WINDOW = Window(START, START + 3 * ONE_DAY)
FIRST = Window.day(START)
TABLES = """
create table events (
    id uuid, occurred_at timestamptz, source text, event_type text, actor_type text, actor_id text, project_id text,
    ip_asset_id text, license_id text, props_json jsonb, session_id uuid, ip_address inet, note text default 'unread'
);
create table attribution (
    event_id uuid, utm_source text, utm_medium text, utm_campaign text, utm_term text, utm_content text,
    referrer text, landing_page text, device_type text, browser text, os text, id serial
)
"""
COLUMNS = {
    "eventId": "id", "occurredAt": "occurred_at", "source": "source", "eventType": "event_type",
    "actorType": "actor_type", "actorId": "actor_id", "projectId": "project_id", "ipAssetId": "ip_asset_id",
    "licenseId": "license_id", "props": "props_json", "sessionId": "session_id",
}  # fmt: skip
ATTRIBUTION_COLUMNS = {
    "utmSource": "utm_source", "utmMedium": "utm_medium", "utmCampaign": "utm_campaign", "referrer": "referrer",
    "landingPage": "landing_page", "deviceType": "device_type", "browser": "browser", "os": "os",
}  # fmt: skip

Extract = Callable[..., ExtractionReport]


class Application:
    """The application's database. Writes events, given as the contract has them, into its tables."""

    def __init__(self, url: str) -> None:
        self.url = url

    def execute(self, statement: str, *parameters: object) -> None:
        with psycopg.connect(self.url) as connection:
            connection.execute(statement, parameters or None)

    def insert(self, event: Mapping[str, Any]) -> None:
        self._insert("events", {COLUMNS[key]: event[key] for key in COLUMNS if key in event})
        if "attribution" in event or "context" in event:
            given = event.get("attribution", {}) | event.get("context", {})
            self._insert(
                "attribution",
                {"event_id": event["eventId"]} | {ATTRIBUTION_COLUMNS[key]: value for key, value in given.items()},
            )

    def _insert(self, table: str, row: Mapping[str, Any]) -> None:
        values = [Jsonb(value) if isinstance(value, dict) else value for value in row.values()]
        with psycopg.connect(self.url) as connection:
            connection.execute(
                sql.SQL("insert into {} ({}) values ({})").format(
                    sql.Identifier(table),
                    sql.SQL(", ").join(map(sql.Identifier, row)),
                    sql.SQL(", ").join(sql.Placeholder() * len(row)),
                ),
                values,
            )


@pytest.fixture
def application(pipeline: Pipeline) -> Application:
    assert pipeline.warehouse.application_url is not None
    application = Application(pipeline.warehouse.application_url)
    application.execute(TABLES)
    return application


@pytest.fixture
def extract(application: Application, pipeline: Pipeline) -> Extract:
    """Writes the landing files of a window, as the asset does, and loads them."""

    def run(window: Window = FIRST, *, load: bool = True, **options: Any) -> ExtractionReport:
        with connect_application(application.url) as source:
            report = extract_events(
                source,
                root=LandingRoot.from_url(pipeline.landing),
                window=window,
                loaded=loaded_lines(pipeline.connection, window),
                **options,
            )
        if load:
            pipeline.load(window)
        return report

    return run


def lines(pipeline: Pipeline, day: date = START) -> list[dict[str, Any]]:
    content = gzip.decompress((pipeline.landing / "events" / f"dt={day}" / FILE_NAME).read_bytes())
    return [json.loads(line) for line in content.splitlines()]


def event(number: int = 1, **more: Any) -> dict[str, Any]:
    at = datetime(START.year, START.month, START.day, 10, number % 60, tzinfo=UTC)
    return {"eventId": str(UUID(int=number)), "occurredAt": at.isoformat(), "eventType": "asset_viewed", **more}


def some_events(seed: int) -> list[dict[str, Any]]:
    """Events of three days: people in sessions who view, click and license, some of them led there by something."""
    chance = random.Random(seed)  # noqa: S311
    events = []
    for number in range(60):
        at = datetime(START.year, START.month, START.day, tzinfo=UTC) + timedelta(seconds=chance.randrange(3 * 86_400))
        some = event(
            number,
            occurredAt=at.isoformat(),
            eventType=chance.choice(["asset_viewed", "asset_viewed", "license_clicked", "license_created"]),
            source=chance.choice(["web", "mobile", "api"]),
            sessionId=str(UUID(int=chance.randrange(9))),
            ipAssetId=f"asset-{chance.randrange(3)}",
            props={"revenueCents": chance.randrange(10_000), "engagementTime": chance.randrange(900) / 8, "näme": None},
        )
        if chance.random() < 0.5:
            some |= {"actorId": f"user-{chance.randrange(3)}", "actorType": "brand", "projectId": "project-1"}
        if chance.random() < 0.5:
            some["attribution"] = chance.choice(
                [{"utmSource": "google", "utmMedium": "cpc"}, {"referrer": "https://www.reddit.com/r/art"}]
            )
        if chance.random() < 0.3:
            some["context"] = {"deviceType": "mobile", "browser": "Firefox", "os": "Android"}
        if chance.random() < 0.1:
            some["eventType"] = "No Type"
        events.append(some)
    return events
