"""Marts without a model: the next publication drops and reports them, and leaves relations of other users alone."""

from collections.abc import Sequence

import psycopg
import pytest

from publishing import mart_locks
from publishing.marts import Mart
from publishing.publish import Publication
from tests.support.handmade_marts import DAY, build, column, mart, publish_by_hand, view
from warehouse.connection import Warehouse

VIEWS = mart("views", column("note"))
CLICKS = mart("clicks", column("note"))
LATEST = view("latest", column("note"))


@pytest.fixture
def owner(warehouse: Warehouse, connection: psycopg.Connection) -> psycopg.Connection:
    """The owner's connection to a warehouse with two tables and a view over one of them, published."""
    connection.autocommit = True
    made = {VIEWS: [("seen",)], CLICKS: [("clicked",)], LATEST: "select metric_date, note from build.clicks"}
    build(connection, made, [DAY])
    publish_by_hand(warehouse, [VIEWS, CLICKS, LATEST], run_id="first")
    return connection


def publish(warehouse: Warehouse, marts: Sequence[Mart]) -> Publication:
    return publish_by_hand(warehouse, marts, run_id="later")


def there(owner: psycopg.Connection) -> set[str]:
    rows = owner.execute(
        "select relname from pg_class where relnamespace = 'marts'::regnamespace and relkind in ('r', 'v')"
    )
    return {name for (name,) in rows}


def test_a_mart_without_a_model_is_dropped_with_its_views_and_told(
    warehouse: Warehouse, owner: psycopg.Connection
) -> None:
    owner.execute("create table marts.somebody_elses (n integer)")
    before = there(owner)
    published = publish(warehouse, [VIEWS])
    assert published.dropped == ["marts.latest", "marts.clicks"]
    assert published.kept == []
    assert before - there(owner) == {"clicks", "latest"}
    assert "somebody_elses" in there(owner)
    assert owner.execute("select mart from marts.data_freshness").fetchall() == [("views",)]


def test_readers_do_not_queue_behind_the_removal_of_a_mart_that_is_read(
    warehouse: Warehouse, owner: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mart_locks, "WAIT_SECONDS", 0.5)
    with psycopg.connect(warehouse.url) as reader:
        reader.execute("select count(*) from marts.clicks")
        with pytest.raises(mart_locks.MartsInUse, match=rf"session {reader.info.backend_pid} .* marts\.clicks since"):
            publish(warehouse, [VIEWS])
    assert there(owner) >= {"clicks", "views", "latest"}


def test_a_mart_without_a_model_stays_while_somebody_reads_it_and_is_not_called_current(
    warehouse: Warehouse, owner: psycopg.Connection
) -> None:
    owner.execute("create schema reports; create view reports.mine as select * from marts.clicks")
    published = publish(warehouse, [VIEWS])
    assert (published.dropped, published.kept) == (["marts.latest"], ["marts.clicks"])
    freshness = "select mart, run_id from marts.data_freshness order by mart"
    assert owner.execute(freshness).fetchall() == [("clicks", "first"), ("views", "later")]
    owner.execute("drop schema reports cascade")
    assert publish(warehouse, [VIEWS]).dropped == ["marts.clicks"]


def test_days_that_come_out_as_published_are_counted_and_not_moved(
    warehouse: Warehouse, owner: psycopg.Connection
) -> None:
    marts = [VIEWS, CLICKS, LATEST]
    published = publish(warehouse, marts)
    assert published.days_unchanged == 1
    assert published.rows["clicks"] == 0, "a day that comes out as it was is not moved again"
    build(owner, {CLICKS: [("another",)], LATEST: "select metric_date, note from build.clicks"}, [DAY])
    published = publish(warehouse, marts)
    assert published.days_unchanged == 0
    assert published.rows["clicks"] == 1
