"""Marts that are views: made as they were built, over what is published, and left alone while they are right."""

from dataclasses import replace
from typing import Any

import psycopg
import pytest

from publishing.marts import Mart
from publishing.publish import PublicationRefused
from tests.support.handmade_marts import DAY, build, column, mart, publish_by_hand, view
from warehouse.connection import Warehouse

VISITS = mart("visits", column("asset"), column("visits", "bigint"))
# A common table expression that is called as its table is no table of schema build.
QUERY = (
    "with visits as (select * from build.visits)"
    " select metric_date, asset, visits * 2 as doubled, 'of build' as note from visits"
)
DOUBLED = view("doubled", column("asset"), column("doubled", "bigint"), column("note"))
MARTS = [VISITS, DOUBLED]


@pytest.fixture
def owner(warehouse: Warehouse, connection: psycopg.Connection) -> psycopg.Connection:
    """The owner's connection to a warehouse in which both are published."""
    connection.autocommit = True
    build(connection, {VISITS: [("asset-1", 7)], DOUBLED: QUERY}, [DAY])
    publish_by_hand(warehouse, MARTS)
    return connection


def read(warehouse: Warehouse) -> list[tuple[Any, ...]]:
    with psycopg.connect(warehouse.bi_dsn) as bi:
        return bi.execute("select doubled from doubled").fetchall()


def identity(owner: psycopg.Connection) -> list[tuple[Any, ...]]:
    return owner.execute(
        "select oid, relkind, relacl::text, obj_description(oid), col_description(oid, 2) from pg_class"
        " where oid = 'marts.doubled'::regclass"
    ).fetchall()


def test_a_view_shows_what_is_published_and_is_told_of_like_a_table(
    warehouse: Warehouse, owner: psycopg.Connection
) -> None:
    assert read(warehouse) == [(14,)]
    owner.execute("update build.visits set visits = 8")
    assert read(warehouse) == [(14,)], "what is built is not published"
    publish_by_hand(warehouse, MARTS)
    assert read(warehouse) == [(16,)]
    assert [row[3:] for row in identity(owner)] == [("About doubled.", "The asset.")]
    fresh = owner.execute("select mart, last_published_date from marts.data_freshness order by 1").fetchall()
    assert fresh == [("doubled", DAY), ("visits", DAY)]


def test_a_view_outlives_new_columns_and_keeps_what_was_granted(
    warehouse: Warehouse, owner: psycopg.Connection
) -> None:
    owner.execute("grant select on marts.doubled to pg_monitor")
    before = identity(owner)
    shares = column("shares", "bigint")
    wider, further = (replace(made, columns=(*made.columns, shares)) for made in MARTS)
    query = QUERY.replace("as note", "as note, shares")
    build(owner, {wider: [("asset-1", 7, 3)], DOUBLED: QUERY}, [DAY])
    publish_by_hand(warehouse, [wider, DOUBLED])
    assert identity(owner) == before
    build(owner, {wider: [("asset-1", 7, 3)], further: query}, [DAY])
    publish_by_hand(warehouse, [wider, further])
    assert identity(owner) == before, "a column at its end needs no other view either"
    assert owner.execute("select shares from marts.doubled").fetchall() == [(3,)]


def test_a_view_is_made_anew_with_a_table_whose_columns_change(warehouse: Warehouse, owner: psycopg.Connection) -> None:
    numeric, doubled = (
        replace(
            made, columns=tuple(replace(c, data_type=c.data_type.replace("bigint", "numeric")) for c in made.columns)
        )
        for made in MARTS
    )
    build(owner, {numeric: [("asset-1", 0.5)], doubled: QUERY}, [DAY])
    publish_by_hand(warehouse, [numeric, doubled])
    assert read(warehouse) == [(1,)]


def test_a_table_becomes_a_view_and_a_view_a_table(warehouse: Warehouse, owner: psycopg.Connection) -> None:
    table: Mart = replace(DOUBLED, is_view=False)
    for made, is_view in ((table, False), (DOUBLED, True)):
        owner.execute("drop view build.doubled" if made is table else "drop table build.doubled")
        build(owner, {made: QUERY if is_view else [("asset-1", 14, "")]}, [DAY])
        publish_by_hand(warehouse, [VISITS, made])
        assert read(warehouse) == [(14,)]
        assert [row[1] for row in identity(owner)] == ["v" if is_view else "r"]


def test_a_view_that_was_not_built_is_refused(warehouse: Warehouse, owner: psycopg.Connection) -> None:
    owner.execute("drop view build.doubled; update build.visits set visits = 9")
    with pytest.raises(PublicationRefused, match=r"build\.doubled is no view; run the whole chain"):
        publish_by_hand(warehouse, MARTS)
    assert read(warehouse) == [(14,)]
