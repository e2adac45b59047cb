"""Dimensions: names of everything that the product has or had, to whom they are shown, and the calendar."""

from datetime import date
from typing import Any

import psycopg
import pytest

from tests.integration.dbt_project.test_periods import change_assets
from tests.support import application_tables
from tests.support.pipeline import START, Pipeline
from warehouse.window import Window

pytestmark = pytest.mark.models(
    "daily_metrics",
    "daily_metrics_by_channel",
    "dim_assets",
    "dim_creators",
    "dim_brands",
    "dim_projects",
    "dim_licenses",
    "dim_dates",
)

PRODUCT = """
insert into creators values
    ('creator-1', 'ana', 'Ana', '2026-09-01', null), ('creator-2', 'ben', 'Ben', '2026-09-02', '2026-09-30 23:30+00');
insert into brands values ('brand-1', 'bob', 'Bob & Co', '2026-09-01', null);
insert into ip_assets values
    ('asset-1', 'Song', 'music', 'ana', '2026-09-03', null),
    ('asset-2', 'Poem', 'text', 'ben', '2026-09-03', '2026-09-29'),
    ('asset-3', 'Map', 'image', 'nobody', '2026-09-03', 'infinity');
insert into ip_ownerships values
    ('share-1', 'asset-1', 'creator-1', 5000, '2026-09-01', null),
    ('share-2', 'asset-1', 'creator-2', 5000, '2026-09-01', '2026-10-01');
insert into projects values ('project-1', 'brand-1', 'Film', 700, '2026-09-04');
insert into licenses values
    ('license-1', 'asset-2', 'brand-1', 'project-1', null, 90, 'active', '2026-09-05', null, '2026-09-05'),
    ('license-2', 'asset-1', 'brand-1', null, 'license-1', 80, 'active', '2026-09-05', '2026-12-01', '2026-09-06');
"""


def shown(pipeline: Pipeline, query: str) -> list[tuple[Any, ...]]:
    """Rows that BI reads."""
    with psycopg.connect(pipeline.warehouse.bi_dsn) as bi:
        return bi.execute(query).fetchall()  # type: ignore[arg-type]


def test_names_stay_when_what_they_name_is_gone(pipeline: Pipeline) -> None:
    change_assets(pipeline, application_tables.DDL + PRODUCT)
    change_assets(pipeline, "delete from licenses where id = 'license-2'; update brands set company_name = 'Bob Ltd'")
    view = {"eventType": "asset_viewed", "occurredAt": f"{START}T10:00:00Z", "anonymousId": "a", "ipAssetId": "asset-9"}
    pipeline.land(START, [view])
    pipeline.run(Window.day(START))

    assert shown(
        pipeline,
        "select ip_asset_id, title, creator_id, owners, deleted_date, is_deleted from dim_assets order by ip_asset_id",
    ) == [
        ("asset-1", "Song", "creator-1", 1, None, False),
        ("asset-2", "Poem", "creator-2", 0, date(2026, 9, 29), True),
        ("asset-3", "Map", None, 0, None, False),
    ]
    assert shown(pipeline, "select creator_id, display_name, deleted_date from dim_creators order by creator_id") == [
        ("creator-1", "Ana", None),
        ("creator-2", "Ben", date(2026, 9, 30)),
    ]
    assert shown(pipeline, "select brand_id, company_name, created_date from dim_brands") == [
        ("brand-1", "Bob Ltd", date(2026, 9, 1))
    ]
    assert shown(pipeline, "select project_id, project_name, brand_id, budget_cents from dim_projects") == [
        ("project-1", "Film", "brand-1", 700)
    ]
    assert shown(
        pipeline,
        "select license_id, asset_title, project_id, parent_license_id, is_deleted from dim_licenses order by 1",
    ) == [
        ("license-1", "Poem", "project-1", None, False),
        ("license-2", "Song", None, "license-1", True),
    ]
    # Numbers of an asset that the product never had are there, without a name.
    assert shown(pipeline, "select title, views from daily_metrics left join dim_assets using (ip_asset_id)") == [
        (None, 1)
    ]
    assert shown(
        pipeline,
        "select min(metric_date), max(metric_date), count(*) filter (where is_published) from dim_dates",
    ) == [(date(2025, 1, 1), date(2027, 12, 31), 1)]
    # 2026 has 53 ISO weeks.
    assert shown(
        pipeline,
        "select iso_year, iso_week, week_start, weekday from dim_dates where metric_date = '2027-01-01'",
    ) == [(2026, 53, date(2026, 12, 28), "Friday")]

    with psycopg.connect(pipeline.warehouse.dsn("creator_portal")) as portal:
        portal.execute("set local app.creator_id = 'creator-1'")
        assert portal.execute("select title from dim_assets").fetchall() == [("Song",)]
        assert portal.execute("select display_name from dim_creators").fetchall() == [("Ana",)]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            portal.execute("select * from dim_brands")
