"""Shares and licenses whose term becomes another one after the fact: which built days that makes stale, that it makes
no others stale, and that after their runs everything is as if it had been known from the beginning.
"""

import re
from collections.abc import Callable
from datetime import date, timedelta

import pytest

from ingestion.application.source import connect_application
from tests.support import application_tables
from tests.support.pipeline import START, Pipeline
from warehouse.window import ONE_DAY, Window

BUILT = Window(START, START + 8 * ONE_DAY)
# The days on which something happened to an asset. Crawlers count nowhere.
VIEWED = {"seldom": (3, 4), "often": (0, 1, 2, 3, 4, 6, 7)}
CRAWLED = 5

# What the product changes, {2} being day 2, and the days that this makes stale. Each goes on from those before it.
CHANGES = [
    # Both ends of a term.
    ("update ip_ownerships set end_date = {4} where id = 'whole'", {4, 6, 7}),
    ("update ip_ownerships set start_date = {2} where id = 'whole'", {0, 1}),
    ("update licenses set start_date = {1}, end_date = {7} where id = 'old'", {1, 4, 6}),
    # What has begun long before it is known, or not yet.
    ("insert into licenses (id, ip_asset_id, brand_id, start_date) values ('late', 'seldom', 'mall', {-9})", {3, 4}),
    ("insert into licenses (id, ip_asset_id, brand_id, start_date) values ('next', 'often', 'mall', {8})", set()),
    ("insert into ip_ownerships (id, ip_asset_id, creator_id) values ('no start', 'often', 'ana')", set()),
    # Gone, and back.
    ("delete from ip_ownerships where id = 'half'", {4}),
    (
        "insert into ip_ownerships (id, ip_asset_id, creator_id, start_date) values ('half', 'seldom', 'ben', {3})",
        {3, 4},
    ),
    # Moved: to another project, brand, owner, and to another asset, which has both of its terms.
    ("update licenses set project_id = 'fall' where id = 'old'", {1, 2, 3, 4, 6}),
    ("update licenses set brand_id = 'mall', project_id = null where id = 'old'", {1, 2, 3, 4, 6}),
    ("update ip_ownerships set creator_id = 'eve' where id = 'whole'", {2, 3}),
    ("update licenses set ip_asset_id = 'seldom', end_date = {4} where id = 'old'", {1, 2, 3, 4, 6}),
    ("update licenses set ip_asset_id = 'often', end_date = {2} where id = 'old'", {1, 3}),
    # A term that ends before it begins has no days.
    ("update licenses set start_date = {6}, end_date = {2} where id = 'old'", {1}),
    # What is no term.
    ("update licenses set fee_cents = 9, status = 'expired'; update ip_ownerships set share_bps = 1", set()),
]


def day(offset: int) -> date:
    return START + timedelta(days=offset)


def change(pipeline: Pipeline, statement: str) -> None:
    assert pipeline.warehouse.application_url is not None
    with connect_application(pipeline.warehouse.application_url) as application:
        dated = re.sub(r"\{(-?\d+)\}", lambda offset: f"date '{day(int(offset[1]))}'", statement)
        application.execute(dated)  # type: ignore[arg-type]
        application.commit()
    pipeline.read_application(START)


@pytest.fixture
def stale_after(pipeline: Pipeline) -> Callable[[str], set[int]]:
    """Change the product's tables, read them, and return the days that became stale."""

    def changed(statement: str) -> set[int]:
        ((before,),) = pipeline.rows("select ops.last_change_id()")
        change(pipeline, statement)
        stale = pipeline.rows("select event_date, reason from ops.stale_day_marks where change_id > %s", before)
        assert {reason for _, reason in stale} <= {"term_changed"}
        assert pipeline.rows("select from ops.changed_terms") == []
        return {(event_date - START).days for event_date, _ in stale}

    return changed


@pytest.mark.models("brand_campaign_metrics", "creator_dashboard", "daily_metrics_by_channel")
def test_a_changed_term_makes_the_days_stale_on_which_it_differs_and_something_happened(
    pipeline: Pipeline, stale_after: Callable[[str], set[int]]
) -> None:
    for asset, offsets in VIEWED.items():
        for offset in offsets:
            view = {"eventType": "asset_viewed", "occurredAt": f"{day(offset)}T10:00:00Z", "ipAssetId": asset}
            pipeline.land(day(offset), [view | {"anonymousId": "visitor"}], f"{asset}.ndjson")
    bot = {"anonymousId": "bot", "ipAssetId": "often", "context": {"userAgent": "Googlebot/2.1"}}
    pipeline.land(day(CRAWLED), [bot | {"eventType": "asset_viewed", "occurredAt": f"{day(CRAWLED)}T10:00:00Z"}])
    change(
        pipeline,
        application_tables.DDL
        + """
        insert into brands (id) values ('shop'), ('mall');
        insert into projects (id, brand_id) values ('spring', 'shop'), ('fall', 'shop');
        insert into creators (id) values ('ana'), ('ben'), ('eve');
        insert into ip_ownerships (id, ip_asset_id, creator_id, start_date) values
            ('whole', 'often', 'ana', {-9}), ('half', 'seldom', 'ben', {4});
        insert into licenses (id, ip_asset_id, brand_id, project_id, start_date, end_date)
            values ('old', 'often', 'shop', 'spring', {2}, {4})
        """,
    )
    pipeline.run(BUILT)
    assert pipeline.rows("select from ops.stale_day_marks") == []

    for statement, expected in CHANGES:
        assert stale_after(statement) == expected, statement
    assert pipeline.catch_up() == [Window(day(0), day(5)), Window(day(6), day(8))]

    one_by_one = pipeline.contents(["build", "rollups", "marts"])
    pipeline.run(BUILT, load=False)
    assert pipeline.contents(["build", "rollups", "marts"]) == one_by_one
