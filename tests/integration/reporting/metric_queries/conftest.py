"""A warehouse with the published quarter of random_quarter.py, made once for each pytest process."""

import random
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import pytest

from tests.support.databases import create_from, drop, superuser
from tests.support.pipeline import START, Pipeline
from tests.support.random_quarter import QUARTER, create_application, random_events
from warehouse.connection import APPLICATION_DATABASE, DATABASE, Warehouse
from warehouse.embedded.server import EmbeddedServer

QUARTER_TEMPLATE = "warehouse_template_with_a_quarter"
MODELS = (
    *("asset_metrics", "asset_top_referrers", "creator_dashboard", "creator_top_assets", "creator_revenue_timeline"),
    *("creator_traffic_sources", "brand_campaign_metrics", "brand_campaign_assets", "platform_metrics"),
    *("platform_revenue_timeline", "daily_metrics_by_channel", "monthly_metrics", "weekly_metrics"),
)


@pytest.fixture(scope="session")
def quarter_template(test_server: EmbeddedServer, models_template: str, open_folder: Path) -> str:
    """A template with the quarter, loaded, built and published."""
    warehouse = Warehouse.from_embedded(test_server)
    chance = random.Random(11)  # noqa: S311
    with superuser(warehouse) as connection:
        create_from(models_template, warehouse, connection)
        pipeline = Pipeline(warehouse, open_folder / "quarter", models=MODELS)
        create_application(pipeline, chance)
        pipeline.read_application(START)
        events = sorted(random_events(chance), key=lambda event: str(event["occurredAt"])[:10])
        for day, landed in groupby(events, lambda event: event["occurredAt"][:10]):
            pipeline.land(START.fromisoformat(day), landed)
        pipeline.run(QUARTER)
        pipeline.close()
        connection.execute(f"alter database {DATABASE} rename to {QUARTER_TEMPLATE}")
        connection.execute(f"drop database {APPLICATION_DATABASE} with (force)")
    return QUARTER_TEMPLATE


@pytest.fixture
def quarter(test_server: EmbeddedServer, quarter_template: str) -> Iterator[Warehouse]:
    """A copy of the warehouse with the quarter."""
    warehouse = Warehouse.from_embedded(test_server)
    with superuser(warehouse) as connection:
        create_from(quarter_template, warehouse, connection)
        yield warehouse
        drop(connection)
