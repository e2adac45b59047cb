"""Dates of the product's tables that Postgres knows and a calendar does not: infinity and -infinity."""

import pytest

from ingestion.application.source import connect_application
from tests.support import application_tables
from tests.support.pipeline import START, Pipeline
from warehouse.window import Window

PRODUCT = """
insert into users (id, created_at, deleted_at) values ('kept', '2026-10-01', 'infinity'), ('gone', now(), '-infinity');
insert into creators (id, user_id, created_at, deleted_at) values
    ('kept', 'kept', '2026-10-01', 'infinity'), ('gone', 'gone', '2026-10-01', '-infinity');
insert into brands (id, user_id, created_at, deleted_at) values
    ('kept', 'kept', '2026-10-01', 'infinity'), ('gone', 'gone', '2026-10-01', '-infinity');
insert into ip_assets (id, title, created_by, created_at, deleted_at) values
    ('asset', 'Kept', 'kept', '2026-10-01', 'infinity'), ('other', 'Gone', 'kept', '2026-10-01', '-infinity');
insert into ip_ownerships values ('share', 'asset', 'kept', 10000, '-infinity', 'infinity');
insert into licenses (id, ip_asset_id, brand_id, fee_cents, start_date, end_date, created_at)
    values ('license', 'asset', 'kept', 700, '-infinity', 'infinity', '2026-10-01 12:00+00');
"""


@pytest.mark.models("platform_metrics", "creator_dashboard", "brand_campaign_metrics", "daily_metrics_by_channel")
def test_deleted_or_ended_at_infinity_means_never(pipeline: Pipeline) -> None:
    assert pipeline.warehouse.application_url is not None
    with connect_application(pipeline.warehouse.application_url) as application:
        application.execute(application_tables.DDL)
        application.execute(PRODUCT)
    view = {"eventType": "asset_viewed", "actorId": "kept", "ipAssetId": "asset", "occurredAt": f"{START}T12:00:00Z"}
    pipeline.land(START, [view])
    pipeline.read_application(START)
    pipeline.run(Window.day(START))

    totals = "select users_total, creators_total, brands_total, assets_total from marts.platform_metrics"
    assert pipeline.rows(f"{totals} where period = 'today'") == [(1, 1, 1, 1)]
    creators = "select creator_id, total_views, total_licenses from marts.creator_dashboard where period = 'today'"
    assert pipeline.rows(creators) == [("kept", 1, 1)]
    campaigns = "select brand_id, total_spend_cents, total_impressions from marts.brand_campaign_metrics"
    assert pipeline.rows(f"{campaigns} where period = 'today'") == [("kept", 700, 1)]
    expiring = "select licenses_expiring_renewal_rate from marts.platform_metrics where period = 'all'"
    assert pipeline.rows(expiring) == [(0,)], "a license that never ends does not end in any period"
