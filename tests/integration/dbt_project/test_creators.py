"""The creators' marts against a count in Python of what was landed and of what the product says: random shares, events,
sessions over midnight and licenses, in whatever order days are published, late and corrected.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from ingestion.application.source import connect_application
from tests.support import application_tables
from tests.support.longer_periods import assert_longer_periods_have_no_less
from tests.support.pipeline import START, Pipeline
from tests.support.random_creators import (
    ASSETS,
    CREATORS,
    DAYS,
    Event,
    License,
    Share,
    World,
    expected,
    random_world,
    title,
)
from warehouse.window import ONE_DAY, Window

pytestmark = pytest.mark.models(
    "creator_dashboard", "creator_top_assets", "creator_traffic_sources", "daily_metrics_by_channel"
)


def write_world(pipeline: Pipeline, world: World) -> None:
    """Make the product's tables those of the world, and read them."""
    assert pipeline.warehouse.application_url is not None
    with connect_application(pipeline.warehouse.application_url) as application, application.cursor() as cursor:
        cursor.execute(application_tables.DDL)  # type: ignore[arg-type]
        cursor.execute("truncate creators, ip_assets, ip_ownerships, licenses")
        cursor.executemany(
            "insert into creators values (%s, 'user', 'Name of ' || %s, %s, %s)",
            [(name, name, START, START if name in world.deleted_creators else None) for name in CREATORS],
        )
        cursor.executemany(
            "insert into ip_assets values (%s, %s, 'image', 'user', %s, %s)",
            [
                (name, title(name), START, START if name in world.deleted_assets else None)
                for name in ASSETS
                if name != "asset-unknown"
            ],
        )
        cursor.executemany(
            "insert into ip_ownerships values (%s, %s, %s, 5000, %s, %s)",
            [(of.id, of.asset, of.creator, of.start, of.end) for of in world.shares],
        )
        cursor.executemany(
            "insert into licenses values (%s, %s, 'brand', null, null, 5, 'active', null, null, %s)",
            [(of.id, of.asset, of.created_at) for of in world.licenses],
        )
        application.commit()
    pipeline.read_application(START)


def land(pipeline: Pipeline, before: Iterable[Event], after: Iterable[Event]) -> None:
    """Write the files of the days on which the events differ, and load them."""
    after = list(after)
    for day in sorted({event.day for event in {*before} ^ {*after}}):
        pipeline.land(day, [event.landed() for event in after if event.day == day])
        pipeline.load(Window.day(day))


def assert_counted(pipeline: Pipeline, world: World) -> None:
    columns = {
        "creator_daily_metrics": "metric_date, creator_id, views, clicks, conversions, revenue_cents",
        "creator_dashboard": "metric_date, period, creator_id, display_name, total_views, total_licenses,"
        " total_revenue_cents, avg_conversion_rate",
        "creator_top_assets": "metric_date, period, creator_id, ip_asset_id, title, rank, views, licenses,"
        " revenue_cents",
        "creator_traffic_sources": "metric_date, period, creator_id, utm_source, rank, visits, conversions",
    }
    assert_longer_periods_have_no_less(pipeline, "creator_dashboard", "creator_top_assets", "creator_traffic_sources")
    wanted = expected(world)
    for mart, names in columns.items():
        rows = pipeline.rows(f"select {names} from marts.{mart}")
        assert len(rows) == len(set(rows)), mart
        assert set(rows) == wanted[mart], mart


def test_creators_see_what_happened_on_what_they_owned_whatever_came_when(pipeline: Pipeline) -> None:
    day = {offset: START + offset * ONE_DAY for offset in range(DAYS + 1)}
    whole = random_world(3)
    late = [event for event in whole.events if event.minute % 2 == 0 and event.day >= day[DAYS - 6]]
    world = replace(whole, events=[event for event in whole.events if event not in late])
    write_world(pipeline, world)
    land(pipeline, [], world.events)

    # The days up to yesterday, then today; then the days before them.
    pipeline.run(Window(day[50], day[DAYS - 1]), load=False)
    world = replace(world, published=frozenset(day[offset] for offset in range(50, DAYS - 1)))
    assert_counted(pipeline, world)
    pipeline.run(Window.day(day[DAYS - 1]), load=False)
    pipeline.run(Window(day[0], day[50]), load=False)
    pipeline.catch_up()
    world = replace(world, published=frozenset(day[offset] for offset in range(DAYS)))
    assert_counted(pipeline, world)

    # Events come late, and some of them say where a session of the night before came from.
    land(pipeline, world.events, whole.events)
    assert pipeline.catch_up()
    world = replace(world, events=whole.events)
    assert_counted(pipeline, world)

    # The product makes licenses and removes others, deletes a creator and an asset, and takes others back.
    world = replace(
        world,
        licenses=[*world.licenses[5:], License("license-new", "asset-1", datetime(2027, 1, 8, 23, 59, tzinfo=UTC))],
        deleted_creators=frozenset({"creator-1"}),
        deleted_assets=frozenset({"asset-0", "asset-unknown"}),
    )
    write_world(pipeline, world)
    assert pipeline.catch_up() == [Window.day(day[DAYS - 1])]
    assert_counted(pipeline, world)

    # Of the last days one share ends, another begins, and a third goes to somebody else.
    ended = next(share for share in world.shares if share.id == "all-asset-3")
    given = next(share for share in world.shares if share.id == "of-late")
    world = replace(
        world,
        shares=[
            *(share for share in world.shares if share not in (ended, given)),
            replace(ended, end=day[DAYS - 3]),
            replace(given, creator="creator-0"),
            Share("share-new", "asset-1", "creator-2", day[DAYS - 5], day[DAYS - 1]),
        ],
    )
    write_world(pipeline, world)
    assert pipeline.catch_up()
    assert_counted(pipeline, world)

    # All of it made anew, in a warehouse of the time before sessions had a tag.
    carried_on = pipeline.contents(["rollups", "marts"])
    pipeline.connection.execute("alter table intermediate.int_events_sessionized drop origin_utm_source cascade")
    pipeline.is_built = False
    pipeline.run(Window(day[0], day[DAYS]), load=False)
    assert pipeline.contents(["rollups", "marts"]) == carried_on
