"""A marketplace of two published days: two creators with hostile names, an asset with two owners, a brand, a sale."""

from datetime import date, timedelta
from typing import Any

from ingestion.application.source import connect_application
from tests.support import application_tables
from tests.support.pipeline import START, Pipeline
from warehouse.window import Window

SECOND = START + timedelta(days=1)
DAYS = Window(START, SECOND + timedelta(days=1))
LATE = DAYS.end + timedelta(days=1)
NAME = "<b>Ana</b> & Sons"
TITLE = '<script>alert("x")</script>'

ROWS = f"""
insert into users values ('person-ana', null, 'creator', '{START}', null),
    ('person-ben', null, 'creator', '{START}', null);
insert into creators values ('creator-ana', 'person-ana', '{NAME}', '{START}', null),
    ('creator-ben', 'person-ben', 'Ben', '{START}', null);
insert into brands values ('brand-1', null, 'Brand', '{START}', null);
insert into ip_assets values ('asset-0', '{TITLE}', 'music', 'person-ana', '{START}', null),
    ('asset-1', 'Song', 'music', 'person-ben', '{START}', null);
insert into ip_ownerships values ('o-0', 'asset-0', 'creator-ana', 10000, '{START}', null),
    ('o-1', 'asset-1', 'creator-ana', 5000, '{START}', null), ('o-2', 'asset-1', 'creator-ben', 5000, '{START}', null);
insert into licenses values ('license-0', 'asset-0', 'brand-1', null, null, 500, 'active', '{START}', null, '{SECOND}');
"""


def event(day: date, key: str, event_type: str = "asset_viewed", asset: str = "asset-0", **more: Any) -> dict[str, Any]:
    return {
        "eventType": event_type,
        "occurredAt": f"{day}T10:00:00Z",
        "idempotencyKey": f"{day}-{key}",
        "anonymousId": "device-of-a-visitor",
        "actorId": "person-of-a-visitor",
        "ipAssetId": asset,
        **more,
    }


def open_shop(pipeline: Pipeline) -> None:
    """Write the product's tables."""
    assert pipeline.warehouse.application_url is not None
    with connect_application(pipeline.warehouse.application_url) as application:
        application.execute(application_tables.DDL)  # type: ignore[arg-type]
        application.execute(ROWS)  # type: ignore[arg-type]
        application.commit()
    pipeline.read_application(START)


def land(pipeline: Pipeline) -> None:
    """Land and load two days: sales of both creators, a rejected line, a copy, and a late event."""
    campaign = {"utmSource": "news<letter>", "utmMedium": "email"}
    pipeline.land(START, [event(START, "a", attribution=campaign), event(START, "b", asset="asset-1"), "no JSON"])
    sale = event(SECOND, "s", "license_created", props={"revenueCents": 123_456}, attribution=campaign)
    other = event(SECOND, "t", "license_created", asset="asset-1", props={"revenueCents": 5})
    pipeline.land(SECOND, [event(SECOND, "c"), event(SECOND, "c"), sale, other])
    pipeline.land(LATE, [event(START, "late", asset="asset-1"), "[]", event(START, "later", asset="asset-1")])
    pipeline.load(Window(START, LATE + timedelta(days=1)))
