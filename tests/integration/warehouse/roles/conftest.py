"""A warehouse with marts of creators and of brands, published, and a login of a single creator and a single brand."""

from collections.abc import Iterator

import psycopg
import pytest

from ingestion.application import schema as application_schema
from publishing.marts import Mart
from tests.support.handmade_marts import DAY, build, column, mart, publish_by_hand, view
from warehouse.connection import Warehouse
from warehouse.roles import logins
from warehouse.roles.logins import Login
from warehouse.roles.readers import BRANDS, CREATORS

EARNINGS = mart("earnings", column("creator_id"), column("note"), portals={"creator": "creator_id"})
CAMPAIGNS = mart("campaigns", column("brand_id"), column("note"), portals={"brand": "brand_id"})
LICENSES = mart(
    "licenses",
    column("creator_id"),
    column("brand_id"),
    column("note"),
    portals={"creator": "creator_id", "brand": "brand_id"},
)
TOTALS = mart("totals", column("note"))
CALENDAR = mart("calendar", portals={"creator": "*", "brand": "*"})
# Views over rows with owners and without. One has a part named as a table.
EARNINGS_BY_DAY = view("earnings_by_day", column("creator_id"), column("note"), portals={"creator": "creator_id"})
CAMPAIGNS_BY_DAY = view("campaigns_by_day", column("brand_id"), column("note"), portals={"brand": "brand_id"})
MARTS: dict[Mart, list[tuple[object, ...]] | str] = {
    EARNINGS: [("c1", "own"), ("c2", "secret"), (None, "secret of nobody")],
    CAMPAIGNS: [("b1", "own"), ("b2", "secret"), (None, "secret of nobody")],
    LICENSES: [("c1", "b1", "own"), ("c2", "b2", "secret")],
    TOTALS: [("secret total",)],
    CALENDAR: [()],
    EARNINGS_BY_DAY: (
        "with calendar as (select * from build.calendar), earnings as (select * from build.earnings)"
        " select metric_date, creator_id, note from calendar inner join earnings using (metric_date)"
    ),
    CAMPAIGNS_BY_DAY: (
        "select metric_date, brand_id, note from build.calendar inner join build.campaigns using (metric_date)"
    ),
}
POLICED: tuple[Mart, ...] = (EARNINGS, CAMPAIGNS, LICENSES)


@pytest.fixture
def warehouse(warehouse: Warehouse) -> Warehouse:
    with warehouse.connect(autocommit=True) as connection:
        build(connection, MARTS, [DAY])
        application_schema.create(connection)
        for table, owner_id in (("creators", "c1"), ("creators", "c2"), ("brands", "b1"), ("brands", "b2")):
            observe(connection, table, owner_id)
    publish_by_hand(warehouse, list(MARTS))
    return warehouse


def observe(
    connection: psycopg.Connection,
    table: str,
    owner_id: str,
    *,
    deleted_at: str | None = None,
    is_removed: bool = False,
) -> None:
    """Append a version of a creator or brand to raw, as a read of the product's tables does."""
    connection.execute(
        f"insert into raw.{table} (id, deleted_at, version_hash, observed_date, is_removed, change_id)"
        f" select %s, %s, '', '2026-10-01', %s, coalesce(max(change_id), 0) + 1 from raw.{table}",
        [owner_id, deleted_at, is_removed],
    )


@pytest.fixture
def creator_dsn(warehouse: Warehouse) -> Iterator[str]:
    yield logins.add(warehouse, Login("studio_one", CREATORS, "c1"))
    logins.remove(warehouse, "studio_one")


@pytest.fixture
def brand_dsn(warehouse: Warehouse) -> Iterator[str]:
    yield logins.add(warehouse, Login("label_one", BRANDS, "b1"))
    logins.remove(warehouse, "label_one")
