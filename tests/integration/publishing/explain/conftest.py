"""Two published days with one conversion, which every number of them can be counted by hand."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import psycopg
import pytest

from ingestion.ad_spend.loading import load_ad_spend
from ingestion.application.source import connect_application
from tests.support import application_tables
from tests.support.databases import create_from, drop, superuser
from tests.support.pipeline import START, Pipeline
from warehouse.connection import APPLICATION_DATABASE, Warehouse
from warehouse.embedded.server import EmbeddedServer
from warehouse.window import ONE_DAY, Window

FIRST, SECOND = START, START + ONE_DAY
PAID = {"utmSource": "Google", "utmMedium": "cpc", "utmCampaign": "autumn"}
APPLICATION = """
insert into users values ('ana', 'ana@example.org', 'user', '2026-09-01', null);
insert into creators values ('creator-0', 'ana', 'Ana', '2026-09-01', null);
insert into brands values ('brand-0', 'bob', 'Bob & Co', '2026-09-01', null);
insert into ip_assets values ('asset-0', 'Song', 'music', 'ana', '2026-10-01', null);
insert into ip_ownerships values ('share-0', 'asset-0', 'creator-0', 10000, '2026-10-01', null);
insert into projects values ('project-0', 'brand-0', 'Film', 0, '2026-10-01');
insert into licenses values
    ('license-0', 'asset-0', 'brand-0', 'project-0', null, 900, 'active', '2026-10-01', null, '2026-10-01');
"""


def event(day: date, time: str, who: str, event_type: str = "asset_viewed", **more: Any) -> dict[str, Any]:
    return {
        "eventType": event_type,
        "occurredAt": f"{day}T{time}:00Z",
        "idempotencyKey": f"{day} {time} {who}",
        "anonymousId": who,
        "ipAssetId": "asset-0",
        **more,
    }


def land_days(pipeline: Pipeline) -> None:
    """Write the landing files. The first line of the first file is rejected, its second one has two events."""
    pipeline.land(
        FIRST,
        [
            "no JSON",
            (event(FIRST, "09:00", "phone", attribution=PAID), event(FIRST, "10:00", "guest")),
            event(FIRST, "09:05", "phone", "asset_downloaded", props={"engagementTime": 12.5}),
            event(FIRST, "11:00", "robot", context={"userAgent": "Googlebot/2.1"}),
        ],
    )
    pipeline.land(
        SECOND,
        [
            event(SECOND, "10:55", "phone", attribution={"referrer": "https://www.google.com/"}, actorId="ana"),
            event(SECOND, "11:00", "phone", "license_created", props={"revenueCents": 1001}),
        ],
    )
    spend = pipeline.landing / "ad_spend" / "october.csv"
    spend.parent.mkdir()
    spend.write_text("date,utm_source,utm_medium,utm_campaign,cost_cents\n2026-10-02,google,cpc,autumn,500\n")


@pytest.fixture(scope="module")
def published(
    test_server: EmbeddedServer, models_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pipeline]:
    """A warehouse for all tests of a module, which change nothing that they do not roll back."""
    warehouse = Warehouse.from_embedded(test_server)
    with superuser(warehouse) as connection:
        create_from(models_template, warehouse, connection)
        pipeline = Pipeline(warehouse, tmp_path_factory.mktemp("explain") / "landing")
        pipeline.data_tests = False
        assert warehouse.application_url is not None
        with connect_application(warehouse.application_url) as application:
            application.execute(application_tables.DDL + APPLICATION)  # type: ignore[arg-type]
            application.commit()
        pipeline.read_application(FIRST)
        land_days(pipeline)
        load_ad_spend(pipeline.connection, root=pipeline.landing)
        pipeline.run(Window(FIRST, SECOND + ONE_DAY))
        yield pipeline
        pipeline.close()
        drop(connection)
        connection.execute(f"drop database {APPLICATION_DATABASE} with (force)")


@pytest.fixture
def connection(published: Pipeline) -> Iterator[psycopg.Connection]:
    """A connection whose changes are rolled back."""
    with published.warehouse.connect() as connection:
        yield connection
        connection.rollback()
