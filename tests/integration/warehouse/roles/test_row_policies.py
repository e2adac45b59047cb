"""Row policies: the rows that each role sees."""

from dataclasses import replace

import psycopg
import pytest

from publishing.publish import PublicationRefused
from tests.integration.warehouse.roles.conftest import CALENDAR, EARNINGS, EARNINGS_BY_DAY, MARTS, TOTALS
from tests.support.handmade_marts import column, mart, publish_by_hand
from warehouse.connection import Warehouse

CREATOR = {"creator": "creator_id"}


def notes(connection: psycopg.Connection, table: str) -> list[str]:
    return [note for (note,) in connection.execute(f"select note from {table} order by 1")]


def test_bi_sees_every_row(warehouse: Warehouse) -> None:
    with psycopg.connect(warehouse.bi_dsn) as bi:
        assert notes(bi, "earnings") == ["own", "secret", "secret of nobody"]
        assert notes(bi, "campaigns") == ["own", "secret", "secret of nobody"]
        assert notes(bi, "totals") == ["secret total"]


@pytest.mark.parametrize(("audience", "table", "own"), [("creator", "earnings", "c1"), ("brand", "campaigns", "b1")])
def test_a_portal_sees_the_rows_of_whom_it_names_in_its_transaction(
    warehouse: Warehouse, audience: str, table: str, own: str
) -> None:
    with psycopg.connect(warehouse.dsn(f"{audience}_portal"), autocommit=True) as portal:
        assert notes(portal, table) == [], "the setting was never set"
        with portal.transaction():
            portal.execute(f"set local app.{audience}_id = '{own}'")
            assert notes(portal, table) == notes(portal, f"{table}_by_day") == ["own"]
            assert notes(portal, "licenses") == ["own"]
        # A pooled connection: the setting is '' now and not null.
        assert portal.execute(f"select current_setting('app.{audience}_id', true)").fetchone() == ("",)
        assert notes(portal, table) == []
        portal.execute(f"set app.{audience}_id = 'nobody-we-know'")
        assert notes(portal, table) == []


@pytest.mark.parametrize(
    ("role", "table"), [("creator_portal", "campaigns"), ("brand_portal", "earnings"), ("creator_portal", "totals")]
)
def test_a_mart_that_does_not_say_whose_its_rows_are_is_closed_to_portals(
    warehouse: Warehouse, role: str, table: str
) -> None:
    with (
        psycopg.connect(warehouse.dsn(role)) as portal,
        pytest.raises(psycopg.errors.InsufficientPrivilege, match=f"table {table}"),
    ):
        notes(portal, table)


def test_a_login_sees_its_owners_rows_whatever_it_says(warehouse: Warehouse, creator_dsn: str, brand_dsn: str) -> None:
    with psycopg.connect(creator_dsn) as creator, psycopg.connect(brand_dsn) as brand:
        for statement in ("select", "set app.creator_id = 'c2'", "set app.brand_id = 'b2'"):
            creator.execute(statement)
            brand.execute(statement)
            assert notes(creator, "earnings") == ["own"]
            assert notes(brand, "campaigns") == ["own"]
            assert notes(creator, "licenses") == notes(brand, "licenses") == ["own"]


def test_a_login_that_nobody_entered_sees_nothing(warehouse: Warehouse, creator_dsn: str) -> None:
    with warehouse.connect() as owner:
        owner.execute("delete from access.logins")
    with psycopg.connect(creator_dsn) as creator:
        assert notes(creator, "earnings") == []


def test_the_owner_publishes_under_the_policies_it_is_bound_by(warehouse: Warehouse) -> None:
    with warehouse.connect(autocommit=True) as owner:
        owner.execute("update build.earnings set note = note || ', again'")
        publish_by_hand(warehouse, list(MARTS))
        assert notes(owner, "marts.earnings") == ["own, again", "secret of nobody, again", "secret, again"]


def test_a_mart_that_becomes_or_stops_being_a_portals_is_so_with_its_publication(warehouse: Warehouse) -> None:
    with psycopg.connect(warehouse.dsn("creator_portal"), autocommit=True) as portal:
        portal.execute("set app.creator_id = 'c1'")
        without = mart("earnings", column("creator_id"), column("note"))
        publish_by_hand(warehouse, [without])
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            notes(portal, "earnings")
        with psycopg.connect(warehouse.bi_dsn) as bi:
            assert len(notes(bi, "earnings")) == 3
        publish_by_hand(warehouse, list(MARTS))
        assert notes(portal, "earnings") == ["own"]


def test_the_column_that_tells_whose_a_row_is_changes_its_type_though_it_identifies_rows(warehouse: Warehouse) -> None:
    narrow = mart("earnings", column("creator_id", "character varying(40)"), column("note"), portals=CREATOR)
    with warehouse.connect(autocommit=True) as owner:
        owner.execute("update build.earnings set note = 'the same'")
        publish_by_hand(warehouse, list(MARTS))
        publish_by_hand(warehouse, [narrow, CALENDAR, replace(EARNINGS_BY_DAY, columns=narrow.columns)])
        assert notes(owner, "marts.earnings") == ["the same"] * 3
    with psycopg.connect(warehouse.dsn("creator_portal")) as portal:
        portal.execute("set app.creator_id = 'c1'")
        assert notes(portal, "earnings") == notes(portal, "earnings_by_day") == ["the same"]


def test_a_warehouse_without_the_roles_publishes_no_mart_of_theirs(warehouse: Warehouse) -> None:
    with warehouse.connect(autocommit=True) as owner:
        owner.execute("drop schema access cascade")
    with pytest.raises(PublicationRefused, match=r"earnings belongs to creators or brands.*warehouse start"):
        publish_by_hand(warehouse, list(MARTS))
    with warehouse.connect(autocommit=True) as owner:
        owner.execute("drop table marts.earnings cascade")
    with pytest.raises(PublicationRefused, match="earnings belongs to creators or brands"):
        publish_by_hand(warehouse, [EARNINGS])
    publish_by_hand(warehouse, [TOTALS])


def test_a_grant_of_bi_that_somebody_took_away_comes_back(warehouse: Warehouse) -> None:
    with warehouse.connect(autocommit=True) as owner:
        owner.execute("revoke all on marts.totals, marts.earnings from bi_reader")
    publish_by_hand(warehouse, list(MARTS))
    with psycopg.connect(warehouse.bi_dsn) as bi:
        assert notes(bi, "totals") == ["secret total"]
        assert len(notes(bi, "earnings")) == 3


def test_a_publication_that_finds_everything_right_touches_no_definition(warehouse: Warehouse) -> None:
    """Else every night would wait for every reader, and readers for it."""
    definitions = """
        select array_agg((what, xmin) order by what) from (
            select oid::regclass::text as what, xmin from pg_class where relnamespace = 'marts'::regnamespace
            union all
            select format('%s of %s', polname, polrelid::regclass), xmin from pg_policy
            union all
            select format('%s %s %s', classoid, objoid, objsubid), xmin from pg_description where objoid >= 16384
        ) as definitions
    """
    with warehouse.connect(autocommit=True) as owner:
        (before,) = owner.execute(definitions).fetchone() or ([],)
        publish_by_hand(warehouse, list(MARTS))
        (after,) = owner.execute(definitions).fetchone() or ([],)
        assert set(after) ^ set(before) == set()


def test_a_portal_finds_its_rows_by_an_index(warehouse: Warehouse) -> None:
    with warehouse.connect(autocommit=True) as owner:
        owner.execute(
            "insert into build.earnings select '2026-10-01', 'c' || n, n::text from generate_series(3, 5000) as n"
        )
        publish_by_hand(warehouse, list(MARTS))
        owner.execute("analyze marts.earnings")
    with psycopg.connect(warehouse.dsn("creator_portal")) as portal:
        portal.execute("set app.creator_id = 'c77'")
        assert notes(portal, "earnings") == ["77"]
        plan = "\n".join(line for (line,) in portal.execute("explain select note from earnings"))
    assert "earnings_creator_id" in plan


def test_comments_are_those_of_the_contract_after_every_publication(warehouse: Warehouse) -> None:
    def comments() -> list[tuple[str, ...]]:
        with psycopg.connect(warehouse.bi_dsn) as bi:
            return bi.execute(
                "select obj_description(attrelid), attname, col_description(attrelid, attnum) from pg_attribute"
                " where attrelid = 'marts.earnings'::regclass and attnum > 0 and not attisdropped order by attnum"
            ).fetchall()

    of_contract = [("About earnings.", name, f"The {name}.") for name in ("metric_date", "creator_id", "note")]
    assert comments() == of_contract
    with warehouse.connect(autocommit=True) as owner:
        owner.execute("comment on table marts.earnings is null; comment on column marts.earnings.note is 'Changed.'")
    publish_by_hand(warehouse, list(MARTS))
    assert comments() == of_contract
    retold = mart("earnings", column("creator_id"), column("note", description="Another text."), portals=CREATOR)
    publish_by_hand(warehouse, [retold])
    assert comments() == [*of_contract[:2], ("About earnings.", "note", "Another text.")]
