"""A warehouse that was restored from an older backup: it lacks erasures, says so, and applies them by hashes."""

from typing import Any

import psycopg
import pytest

from ingestion.landing.files import LandingRoot
from ingestion.subjects import reapplied, register
from ingestion.subjects.subject import NamedIds
from tests.integration.ingestion.subjects.subject_requests import (
    carry_out,
    event,
    landing_text,
    request,
    reread,
    stored_text,
)
from tests.integration.ingestion.subjects.test_erasure_from_product_tables import PRODUCT, read
from tests.support.application_tables import DDL
from tests.support.keys import ERASURE_KEY
from tests.support.pipeline import START, Pipeline
from warehouse.window import Window

TABLES = (
    "raw.events, raw.attribution, raw.users, raw.creators, raw.brands, raw.ip_assets, raw.ip_ownerships, raw.payouts,"
    " raw.licenses, raw.projects, raw.duplicate_events, raw.rejected_events, ops.loads"
)


def lands(pipeline: Pipeline) -> None:
    pipeline.land(
        START,
        [
            event("a1", START, actorId="u-ana", anonymousId="device-ana"),
            event("a2", START, anonymousId="device-ana"),
            event("b1", START, actorId="u-ben"),
        ],
    )


def restored(pipeline: Pipeline, backup: dict[str, list[tuple[Any, ...]]]) -> None:
    """Bring the tables back to what they were at the backup, and forget every erasure."""
    pipeline.connection.execute("truncate ops.erasures, ops.erased_ids, ops.subject_requests")
    for table in TABLES.split(", "):
        pipeline.connection.execute(f"truncate {table}")  # type: ignore[arg-type]
    with pipeline.connection.cursor() as cursor:
        for table, rows in backup.items():
            for row in rows:
                cursor.execute(f"insert into {table} overriding system value select (%s::{table}).*", row)  # type: ignore[arg-type]


@pytest.fixture
def erased(pipeline: Pipeline) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what a backup before the erasure of Ana holds, and raw after the erasure."""
    assert pipeline.warehouse.application_url
    with psycopg.connect(pipeline.warehouse.application_url, autocommit=True) as connection:
        connection.execute(DDL.encode())
        connection.execute(PRODUCT.encode())
    read(pipeline)
    lands(pipeline)
    pipeline.load(Window.day(START))
    backup = {table: pipeline.rows(f"select t::text from {table} as t") for table in TABLES.split(", ")}
    asked = request(pipeline, NamedIds(persons=("u-ana",)))
    carry_out(pipeline, asked)
    register.register_erasure(pipeline.connection, root(pipeline), asked.request_id)
    return backup, pipeline.contents(("raw",))


def root(pipeline: Pipeline) -> LandingRoot:
    return LandingRoot.from_url(pipeline.landing)


def test_a_restored_warehouse_loads_nothing_before_its_erasures_are_applied(
    pipeline: Pipeline, erased: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    backup, expected = erased
    register.require_all_erasures(pipeline.connection, root(pipeline))
    assert "u-ana" not in "".join(path.read_text() for path in (pipeline.landing / "erasures").iterdir())
    restored(pipeline, backup)
    assert "u-ana" in stored_text(pipeline)
    with pytest.raises(register.ErasuresMissing, match=r"1 erasures .* `warehouse erasures apply`"):
        register.require_all_erasures(pipeline.connection, root(pipeline))
    for erasure in register.read_missing(pipeline.connection, root(pipeline)):
        reapplied.request_again(pipeline.connection, erasure, erasure_key=ERASURE_KEY)
        carry_out(pipeline, reread(pipeline, erasure.request_id))
    register.require_all_erasures(pipeline.connection, root(pipeline))
    # Also the random ids are those that readers know.
    assert pipeline.contents(("raw",)) == expected
    assert "u-ana" not in stored_text(pipeline) + landing_text(pipeline.landing)


def test_a_copy_of_the_register_serves_when_the_landing_storage_was_restored_too(
    pipeline: Pipeline, erased: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    backup, expected = erased
    kept = register.dump_register(pipeline.connection)
    restored(pipeline, backup)
    for path in (pipeline.landing / "erasures").iterdir():
        path.unlink()
    lands(pipeline)
    register.require_all_erasures(pipeline.connection, root(pipeline))
    assert register.copy_to_storage(root(pipeline), register.parse_register(kept.splitlines())) == 1
    (erasure,) = register.read_missing(pipeline.connection, root(pipeline))
    reapplied.request_again(pipeline.connection, erasure, erasure_key=ERASURE_KEY)
    carry_out(pipeline, reread(pipeline, erasure.request_id))
    assert pipeline.contents(("raw",)) == expected
    assert "device-ana" not in landing_text(pipeline.landing)
    with pytest.raises(ValueError, match="line 1 is no erasure"):
        register.parse_register(["{}"])
