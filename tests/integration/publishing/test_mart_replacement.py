"""Tables of marts that are exchanged for new ones: rows, grants and policies are there when readers come back."""

from collections.abc import Iterator

import psycopg
import pytest

from publishing import mart_replacement, mart_tables
from tests.support.handmade_marts import DAY, WINDOW, build, column, mart, publish_by_hand
from warehouse.connection import Warehouse

RETYPED = mart("views", column("number", "text"), column("note"), portals={"creator": "number"})


@pytest.fixture
def cursor(warehouse: Warehouse, connection: psycopg.Connection) -> Iterator[psycopg.Cursor]:
    """A cursor of the owner. One day is published, and built again with other columns."""
    connection.autocommit = True
    old = mart("views", column("number", "integer"))
    build(connection, {old: [(7,)]}, [DAY])
    publish_by_hand(warehouse, [old])
    build(connection, {RETYPED: [("seven", "new")]}, [DAY])
    with connection.cursor() as cursor:
        yield cursor


def test_a_draft_takes_the_place_of_the_old_table_with_its_grants_and_policies(
    warehouse: Warehouse, cursor: psycopg.Cursor
) -> None:
    cursor.execute("grant references on marts.views to bi_reader")
    with cursor.connection.transaction():
        assert mart_replacement.replaceable(cursor, [RETYPED]) == [RETYPED]
        assert mart_replacement.fill_draft(cursor, RETYPED, WINDOW) == 1
        with psycopg.connect(warehouse.bi_dsn) as bi:
            assert bi.execute("select number from views").fetchall() == [(7,)]
        assert mart_replacement.put_in_place(cursor, [RETYPED], [RETYPED]) == []
        mart_tables.migrate_tables(cursor, [RETYPED], WINDOW)
    with psycopg.connect(warehouse.bi_dsn) as bi:
        assert bi.execute("select number, note from views").fetchall() == [("seven", "new")]
    rights = cursor.execute(
        "select has_table_privilege('bi_reader', 'marts.views', 'references'), relforcerowsecurity,"
        " obj_description(oid) from pg_class where oid = 'marts.views'::regclass"
    ).fetchone()
    assert rights == (True, True, "About views.")


def test_a_table_that_a_view_of_another_owner_reads_stays(warehouse: Warehouse, cursor: psycopg.Cursor) -> None:
    cursor.execute("create view ops.theirs as select number from marts.views")
    with cursor.connection.transaction():
        mart_replacement.fill_draft(cursor, RETYPED, WINDOW)
        assert mart_replacement.put_in_place(cursor, [RETYPED], [RETYPED]) == [RETYPED]
    assert cursor.execute("select to_regclass('rollups.views')").fetchone() == (None,)
    with psycopg.connect(warehouse.bi_dsn) as bi:
        assert bi.execute("select number from views").fetchall() == [(7,)]
