"""Erasure from the product's tables in raw: what goes, what stays under a random id, what never returns."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest

from ingestion.application.source import connect_application
from ingestion.application.sync import read_application
from publishing import stale_days
from tests.integration.ingestion.subjects.subject_requests import erase, event, landing_text, stored_text
from tests.support.application_tables import DDL
from tests.support.keys import ERASURE_KEY, HASH_KEY
from tests.support.pipeline import START, Pipeline
from warehouse.window import Window

PRODUCT = """
insert into users values
    ('u-ana', 'ana@private.example', 'creator', '2026-09-01', null), ('u-ben', 'ben@x.example', 'brand', '2026-09-01', null),
    ('u-eve', 'eve@x.example', 'creator', '2026-09-01', null), ('u-ana-2', 'Ana@private.example ', 'brand', '2026-09-02', null);
insert into creators values
    ('c-ana', 'u-ana', 'Ana Lopez', '2026-09-01', null), ('c-eve', 'u-eve', 'Eve Adams', '2026-09-01', null);
insert into brands values
    ('b-ana', 'u-ana-2', 'Lopez Ltd', '2026-09-01', null), ('b-ben', 'u-ben', 'Ben AG', '2026-09-01', null);
insert into ip_assets values ('asset-1', 'A dune', 'image', 'u-ana', '2026-09-02', null);
insert into ip_ownerships values
    ('s-1', 'asset-1', 'c-ana', 7000, '2026-09-02', null), ('s-2', 'asset-1', 'c-eve', 3000, '2026-09-02', null);
insert into projects values ('p-1', 'b-ben', 'Autumn', 1000, '2026-09-03');
insert into licenses values
    ('l-1', 'asset-1', 'b-ben', 'p-1', null, 500, 'active', '2026-09-04', '2027-09-04', '2026-09-04');
insert into payouts values ('pay-1', 'c-ana', 350, 'paid', '2026-10-01');
"""  # noqa: E501


@pytest.fixture
def product(pipeline: Pipeline) -> Any:
    assert pipeline.warehouse.application_url
    with psycopg.connect(pipeline.warehouse.application_url, autocommit=True) as connection:
        connection.execute(DDL.encode())
        connection.execute(PRODUCT.encode())
        read(pipeline)
        yield connection


def read(pipeline: Pipeline, observed: date = START, *, is_full: bool = False) -> None:
    assert pipeline.warehouse.application_url
    with connect_application(pipeline.warehouse.application_url) as source:
        read_application(
            source, pipeline.connection, observed_date=observed, hash_key=HASH_KEY, erasure_key=ERASURE_KEY,
            is_full=is_full,
        )  # fmt: skip
    stale_days.mark_stale_days(pipeline.connection)


def test_a_creators_rows_stay_under_a_random_id_and_the_person_goes(pipeline: Pipeline, product: Any) -> None:
    # The address leads from one account to the other.
    erase(pipeline, "u-ana")
    ((creator, name, user),) = pipeline.rows("select id, display_name, user_id from raw.creators where id <> 'c-eve'")
    assert name is None
    assert creator not in ("c-ana", None)
    assert pipeline.rows("select creator_id, share_bps from raw.ip_ownerships order by id") == [
        (creator, 7000),
        ("c-eve", 3000),
    ]
    assert pipeline.rows("select creator_id, amount_cents from raw.payouts") == [(creator, 350)]
    # The product's tables are joined by user too.
    assert pipeline.rows("select created_by from raw.ip_assets") == [(user,)]
    assert user not in ("u-ana", None)
    assert pipeline.rows("select id from raw.users order by id") == [("u-ben",), ("u-eve",)]
    assert pipeline.rows("select id from raw.brands") == [("b-ben",)]
    text = stored_text(pipeline)
    for secret in ("u-ana", "c-ana", "b-ana", "Lopez", "Ana "):
        assert secret not in text
    assert pipeline.rows("select table_rows -> 'raw.users' from ops.erasures") == [
        ({"before": 4, "after": 2, "erased": 2},)
    ]


def test_the_next_reads_bring_nobody_back(pipeline: Pipeline, product: Any) -> None:
    erase(pipeline, "u-ana")
    before = stored_text(pipeline, ["raw"])
    read(pipeline, START + timedelta(days=1))
    read(pipeline, START + timedelta(days=1), is_full=True)
    assert stored_text(pipeline, ["raw"]) == before
    # New rows of hers stand under the id that she has now.
    ((creator,),) = pipeline.rows("select id from raw.creators where id <> 'c-eve'")
    product.execute("insert into payouts values ('pay-2', 'c-ana', 90, 'paid', '2026-10-02')")
    product.execute("update creators set display_name = 'Ana L.' where id = 'c-ana'")
    product.execute("insert into creators values ('c-new', 'u-ana', 'Ana once more', '2026-10-02', null)")
    read(pipeline, START + timedelta(days=1))
    assert pipeline.rows("select creator_id from raw.payouts where id = 'pay-2'") == [(creator,)]
    assert pipeline.rows("select display_name from raw.creators where id in (%s, 'c-new')", creator) == [
        (None,),
        (None,),
    ]
    text = stored_text(pipeline)
    for secret in ("u-ana", "c-ana", "Ana "):
        assert secret not in text


def test_others_events_about_a_creator_name_the_random_id_in_raw_and_in_files(pipeline: Pipeline, product: Any) -> None:
    seen = event("seen", START, actorId="u-ben", entityType="creator", entityId="c-ana")
    pipeline.land(START, [seen])
    pipeline.load(Window.day(START))
    erase(pipeline, "u-ana")
    ((creator,),) = pipeline.rows("select id from raw.creators where id <> 'c-eve'")
    assert pipeline.rows("select entity_id from raw.events") == [(creator,)]
    assert f'"{creator}"' in landing_text(pipeline.landing)
    # A later file is stored likewise.
    pipeline.land(START, [seen | {"idempotencyKey": "again"}], "again.ndjson")
    pipeline.load(Window.day(START))
    assert pipeline.rows("select distinct entity_id from raw.events") == [(creator,)]


def test_a_brand_without_anything_goes_and_one_with_licenses_stays(pipeline: Pipeline, product: Any) -> None:
    erase(pipeline, emails=("ben@x.example",))
    ((brand,),) = pipeline.rows("select brand_id from raw.licenses")
    assert brand != "b-ben"
    assert pipeline.rows("select brand_id from raw.projects") == [(brand,)]
    assert pipeline.rows("select id, company_name from raw.brands where id <> 'b-ana'") == [(brand, None)]


def test_withdrawn_consent_leaves_the_products_tables_alone(pipeline: Pipeline, product: Any) -> None:
    before = pipeline.contents(("raw",))
    erase(pipeline, "u-ana", withdrawn_from=datetime(2026, 10, 1, tzinfo=UTC))
    read(pipeline, START + timedelta(days=1), is_full=True)
    assert pipeline.contents(("raw",)) == before
