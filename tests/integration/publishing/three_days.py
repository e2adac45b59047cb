"""Three days of a funnel, of which two are published, and the views of a plan that tests look at."""

from datetime import date
from typing import Any

from ingestion.application.source import connect_application
from publishing import stale_days
from tests.support import application_tables
from tests.support.pipeline import FAR, START, Pipeline
from warehouse.window import ONE_DAY, Window

DAYS = 3
WINDOW = Window(START, START + DAYS * ONE_DAY)
FIRST, SECOND, THIRD = WINDOW.days()


def events(day: date) -> list[dict[str, Any]]:
    """Return the steps of the funnel by a visitor who was referred, and by one more each day."""
    return [
        {
            "eventType": event_type,
            "occurredAt": f"{day}T1{hour}:00:00Z",
            "idempotencyKey": f"{day} {visitor} {hour}",
            "anonymousId": visitor,
            "ipAssetId": "asset-0",
            "attribution": {"referrer": f"https://{visitor}.example/"},
        }
        for visitor in ("ana", f"guest-{day.day}")
        for hour, event_type in enumerate(("asset_viewed", "asset_downloaded", "license_created"))
    ]


def own_the_asset(pipeline: Pipeline) -> None:
    """Write the product's tables, with the asset: marts of assets have rows of those that exist."""
    assert pipeline.warehouse.application_url is not None
    with connect_application(pipeline.warehouse.application_url) as application:
        application.execute(application_tables.DDL)  # type: ignore[arg-type]
        application.execute("insert into ip_assets values ('asset-0', 'Song', 'music', 'ana', %s, null)", [START])
        application.commit()


def stale(pipeline: Pipeline) -> dict[date, tuple[str, ...]]:
    """Return the stale days with the models that make them stale."""
    found = stale_days.stale_days(pipeline.connection, project=pipeline.version, before=FAR)
    return {day.event_date: day.models for day in found}


def days_of(pipeline: Pipeline, mart: str) -> list[date]:
    return [day for (day,) in pipeline.rows(f"select distinct metric_date from marts.{mart} order by 1")]


def freshness(pipeline: Pipeline, *marts: str) -> list[tuple[Any, ...]]:
    return pipeline.rows(
        "select mart, last_published_date, plan from marts.data_freshness where mart = any(%s) order by 1", list(marts)
    )
