"""Primary keys of dimensions and foreign keys to them: BI tools find them, and they hold no publication up."""

from dataclasses import replace

import psycopg
import pytest
import sqlalchemy

from tests.support.handmade_marts import DAY, build, column, mart, publish_by_hand
from warehouse.connection import Warehouse

ASSETS = replace(
    mart("dim_assets", replace(column("ip_asset_id"), is_nullable=False), column("title")),
    grain=("ip_asset_id",),
    is_dimension=True,
)
VIEWS = mart("views", column("ip_asset_id"), column("views", "bigint"))


@pytest.fixture
def published(warehouse: Warehouse, connection: psycopg.Connection) -> Warehouse:
    """A warehouse with a dimension, and numbers of an asset that it does not have."""
    connection.autocommit = True
    build(connection, {ASSETS: [("a", "First")], VIEWS: [("a", 1), ("unknown", 2)]}, [DAY])
    publish_by_hand(warehouse, [ASSETS, VIEWS])
    return warehouse


def test_tools_find_the_keys_and_unknown_ids_are_published(published: Warehouse) -> None:
    engine = sqlalchemy.create_engine(published.bi_dsn.replace("postgresql:", "postgresql+psycopg:"))
    found = sqlalchemy.inspect(engine)
    assert found.get_pk_constraint("dim_assets", "marts")["constrained_columns"] == ["ip_asset_id"]
    [key] = found.get_foreign_keys("views", "marts")
    assert (key["constrained_columns"], key["referred_table"]) == (["ip_asset_id"], "dim_assets")
    engine.dispose()
    with psycopg.connect(published.bi_dsn) as bi:
        rows = bi.execute("select title, views from views left join dim_assets using (ip_asset_id) order by views")
        assert rows.fetchall() == [("First", 1), (None, 2)]


def test_a_second_publication_replaces_the_dimension(published: Warehouse, connection: psycopg.Connection) -> None:
    build(connection, {ASSETS: [("b", "Second")]}, [DAY])
    publish_by_hand(published, [ASSETS, VIEWS])
    assert connection.execute("select ip_asset_id from marts.dim_assets").fetchall() == [("b",)]


def test_a_dimension_whose_model_is_gone_is_dropped_with_the_keys_to_it(
    published: Warehouse, connection: psycopg.Connection
) -> None:
    publication = publish_by_hand(published, [VIEWS])
    assert publication.dropped == ["marts.dim_assets"]
    assert connection.execute("select count(*) from marts.views").fetchone() == (2,)


def test_a_table_that_is_being_read_gets_its_keys_later(warehouse: Warehouse, connection: psycopg.Connection) -> None:
    connection.autocommit = True
    build(connection, {ASSETS: [("a", "First")], VIEWS: [("a", 1)]}, [DAY])
    publish_by_hand(warehouse, [ASSETS])
    connection.execute("alter table marts.dim_assets drop constraint dim_assets_pkey")
    keys = "select count(*) from pg_constraint where conname = 'dim_assets_pkey'"
    with psycopg.connect(warehouse.bi_dsn) as bi:
        bi.execute("select * from dim_assets")
        publish_by_hand(warehouse, [ASSETS, VIEWS])
        assert connection.execute(keys).fetchone() == (0,)
    publish_by_hand(warehouse, [ASSETS, VIEWS])
    assert connection.execute(keys).fetchone() == (1,)
