"""Freshness: notifications of publications, view data_freshness for BI, and the loads behind a published day."""

import json
from typing import Any

import psycopg
import pytest

from orchestration.cli.provision import prepare
from publishing import freshness, stale_reasons
from publishing.model_versions import ProjectVersion
from tests.support.handmade_marts import DAY, build, column, mart, publish_by_hand
from tests.support.pipeline import Pipeline
from warehouse.connection import Warehouse
from warehouse.window import ONE_DAY, Window

VIEWS = mart("views", column("note"))
CLICKS = mart("clicks", column("note"))
MARTS = [VIEWS, CLICKS]
NEXT = DAY + ONE_DAY
BOTH = Window(DAY, NEXT + ONE_DAY)


@pytest.fixture
def owner(warehouse: Warehouse, connection: psycopg.Connection) -> psycopg.Connection:
    """The owner's connection to a warehouse whose two days are built and not published."""
    connection.autocommit = True
    build(connection, {VIEWS: [("seen",)], CLICKS: [("clicked",)]}, [DAY, NEXT])
    return connection


def data_freshness(warehouse: Warehouse) -> list[tuple[Any, ...]]:
    """Return the rows of data_freshness as BI reads them."""
    with psycopg.connect(warehouse.bi_dsn) as bi:
        return bi.execute(
            "select mart, last_published_date, run_id, stale_days, oldest_stale_date from data_freshness order by mart"
        ).fetchall()


def test_who_listens_hears_of_each_publication_once_with_its_window(
    warehouse: Warehouse, owner: psycopg.Connection
) -> None:
    with psycopg.connect(warehouse.bi_dsn, autocommit=True) as listener:
        listener.execute("listen marts_published")
        publish_by_hand(warehouse, MARTS, run_id="first", window=BOTH)
        owner.execute("drop table build.views")
        with pytest.raises(psycopg.errors.UndefinedTable):
            publish_by_hand(warehouse, MARTS, run_id="fails")
        heard = [json.loads(notice.payload) for notice in listener.notifies(timeout=0.2)]
    assert heard == [{"run_id": "first", "start": "2026-10-01", "end": "2026-10-03", "marts": ["views", "clicks"]}]


def test_more_marts_than_a_message_holds_are_all_marts(warehouse: Warehouse, owner: psycopg.Connection) -> None:
    owner.execute("listen marts_published")
    with owner.transaction(), owner.cursor() as cursor:
        freshness.record(cursor, [f"mart_{number}" for number in range(1_000)], BOTH, run_id="first")
    (notice,) = owner.notifies(timeout=1, stop_after=1)
    assert json.loads(notice.payload)["marts"] is None


def test_bi_is_told_how_current_each_mart_is(warehouse: Warehouse, owner: psycopg.Connection) -> None:
    assert data_freshness(warehouse) == []
    publish_by_hand(warehouse, [VIEWS], run_id="first", window=BOTH)
    publish_by_hand(warehouse, MARTS, run_id="second")
    assert data_freshness(warehouse) == [("clicks", DAY, "second", 0, None), ("views", NEXT, "second", 0, None)]
    publish_by_hand(warehouse, [CLICKS], run_id="third")
    assert data_freshness(warehouse) == [("clicks", DAY, "third", 0, None)], (
        "a mart that is published no more is not current"
    )


def test_bi_is_told_at_once_which_published_days_are_stale(warehouse: Warehouse, owner: psycopg.Connection) -> None:
    publish_by_hand(warehouse, [VIEWS], run_id="first", window=BOTH)
    owner.execute(
        "insert into ops.stale_day_marks (event_date, layer, reason, change_id) values"
        " ('2026-10-02', 'events', 'events_changed', 1), ('2026-10-02', 'events', 'license_changed', 2),"
        " ('2026-12-24', 'events', 'events_changed', 3)"
    )
    assert data_freshness(warehouse) == [("views", NEXT, "first", 1, NEXT)], (
        "a day that was never published is not stale to BI"
    )
    newer = ProjectVersion({"views": "2"}, whole=frozenset())
    stale_reasons.set_wanted_version(owner, newer)
    owner.execute("update ops.published_days set model_version = %s where event_date = '2026-10-02'", [newer.digest])
    assert data_freshness(warehouse) == [("views", NEXT, "first", 2, DAY)], "days of older models are run again too"


def test_the_views_are_made_anew_when_they_read_otherwise_and_else_left_alone(
    warehouse: Warehouse, owner: psycopg.Connection
) -> None:
    oid = "select 'marts.data_freshness'::regclass::oid"
    before = owner.execute(oid).fetchone()
    prepare(warehouse)
    assert owner.execute(oid).fetchone() == before
    owner.execute(
        "create or replace view marts.data_freshness as select mart, last_published_date, published_at, run_id,"
        " 0::bigint as stale_days, null::date as oldest_stale_date, null::text as plan,"
        " null::datemultirange as older_version_days, null::date as mixed_since from ops.published_marts"
    )
    prepare(warehouse)
    assert owner.execute(oid).fetchone() != before
    assert data_freshness(warehouse) == []
    comment = "select col_description('marts.data_freshness'::regclass, 5)"
    assert "known to differ" in str(owner.execute(comment).fetchone())


def test_a_published_day_names_the_versions_of_the_files_it_was_made_from(pipeline: Pipeline) -> None:
    def view(key: str) -> dict[str, str]:
        return {"eventType": "asset_viewed", "occurredAt": f"{DAY}T10:00:00Z", "idempotencyKey": key, "actorId": "u"}

    def made_from() -> list[tuple[Any, ...]]:
        return pipeline.rows("select event_date, run_id, file, load_id from ops.published_loads order by file, load_id")

    def build_and_publish(run_id: str) -> None:
        build(pipeline.connection, {VIEWS: [("seen",)]}, [DAY])
        publish_by_hand(pipeline.warehouse, [VIEWS], run_id=run_id)

    pipeline.land(DAY, [view("one")], "a.ndjson")
    pipeline.land(DAY, [view("two")], "b.ndjson")
    pipeline.load(Window.day(DAY))
    build_and_publish("first")
    (a, b) = (f"dt={DAY}/a.ndjson", f"dt={DAY}/b.ndjson")
    loads = dict(pipeline.rows("select replace(file, 'events/', ''), load_id from ops.loads"))
    assert made_from() == [(DAY, "first", f"events/{file}", loads[file]) for file in (a, b)]

    pipeline.land(DAY, [view("one"), view("three")], "a.ndjson")
    pipeline.land(NEXT, [view("late")], "c.ndjson")
    pipeline.load(BOTH)
    assert len(made_from()) == 2, "what came after the build had no say in it"
    build_and_publish("second")
    assert [(run_id, file) for _, run_id, file, _ in made_from()] == [
        ("second", f"events/{a}"),
        ("second", f"events/{b}"),
        ("second", f"events/dt={NEXT}/c.ndjson"),
    ]
    assert loads[a] not in {load_id for *_, load_id in made_from()}, "the version that was replaced has no say any more"
