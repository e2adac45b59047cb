"""Live views of schema marts, as BI reads them: states of days, lines by outcome, results of checks."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import psycopg
import pytest

from publishing.live_views.creation import VIEWS
from quality_checks import results
from quality_checks.outcome import CheckOutcome, Severity
from tests.support.handmade_marts import DAY, build, column, mart, publish_by_hand
from tests.support.pipeline import Pipeline
from warehouse.connection import Warehouse
from warehouse.window import ONE_DAY, Window

VIEWS_MART, CLICKS = mart("views", column("note")), mart("clicks", column("note"))
MARTS = [VIEWS_MART, CLICKS]
DAYS = [DAY + n * ONE_DAY for n in range(4)]


def read(warehouse: Warehouse, query: str) -> list[tuple[Any, ...]]:
    """Rows that BI reads."""
    with psycopg.connect(warehouse.bi_dsn) as bi:
        return bi.execute(query).fetchall()  # type: ignore[arg-type]


def states(warehouse: Warehouse, mart: str) -> dict[date, tuple[str, list[str]]]:
    """State and reasons of the four days of a mart; of later days nothing is loaded."""
    rows = read(warehouse, f"select metric_date, state, reasons from stale_days where mart = '{mart}'")
    return {day: (state, reasons) for day, state, reasons in rows if day in DAYS}


@pytest.fixture
def owner(warehouse: Warehouse, connection: psycopg.Connection) -> psycopg.Connection:
    """The owner of a warehouse with two marts, whose first and third day are published."""
    connection.autocommit = True
    build(connection, {VIEWS_MART: [("seen",)], CLICKS: [("clicked",)]}, DAYS[:3])
    for day in (DAYS[0], DAYS[2]):
        publish_by_hand(warehouse, MARTS, run_id=f"run {day}", window=Window.day(day))
    return connection


def record(owner: psycopg.Connection, run: str, days: Window, *bad_days: date, **observed: Any) -> None:
    """Record the result of a blocking check of a run."""
    outcome = CheckOutcome(
        observed, bad_days, ({"line": "ana@mail.example"},) if bad_days else (), name="sums", severity=Severity.ERROR
    )
    results.record(owner, [outcome], build_id=run, window=days)


def test_the_views_beside_the_marts_are_these(warehouse: Warehouse) -> None:
    found = read(warehouse, "select table_name::text from information_schema.tables where table_schema = 'marts'")
    live = {("data_freshness",), ("stale_days",), ("data_quality",), ("check_history",)}
    assert set(found) == live
    assert {name for name in VIEWS if name.startswith("marts.")} == {f"marts.{name}" for (name,) in live}


def test_every_column_has_a_comment(warehouse: Warehouse) -> None:
    lacking = read(
        warehouse,
        "select attrelid::regclass::text, attname::text from pg_attribute"
        " inner join pg_class on pg_class.oid = attrelid"
        " where relnamespace = 'marts'::regnamespace and attnum > 0 and col_description(attrelid, attnum) is null",
    )
    assert lacking == []


def test_portals_do_not_read_them(warehouse: Warehouse) -> None:
    query = "select has_table_privilege(%s, 'marts.' || name, 'select') from unnest(%s::text[]) as name"
    names = [name.removeprefix("marts.") for name in VIEWS if name.startswith("marts.")]
    with warehouse.connect() as connection:
        for role in ("creator_portal", "brand_portal", "creator_login", "brand_login"):
            assert set(connection.execute(query, [role, names]).fetchall()) == {(False,)}


def test_days_are_missing_late_and_stale(warehouse: Warehouse, owner: psycopg.Connection) -> None:
    assert states(warehouse, "views") == {
        DAYS[1]: ("missing", ["nothing_loaded"]),
        DAYS[3]: ("late", ["nothing_loaded"]),
    }
    owner.execute(
        "insert into ops.stale_day_marks (event_date, layer, reason, change_id) values"
        " ('2026-10-03', 'events', 'events_changed', 1), ('2026-10-03', 'events', 'license_changed', 2)"
    )
    assert states(warehouse, "clicks")[DAYS[2]] == ("stale", ["events_changed", "license_changed"])
    due = read(warehouse, "select distinct since from stale_days where metric_date = '2026-10-02'")
    assert [str(since) for (since,) in due] == ["2026-10-03 02:00:00+00:00"]


def test_a_refused_day_names_its_checks_since_the_first_failure(
    warehouse: Warehouse, owner: psycopg.Connection
) -> None:
    day = Window.day(DAYS[2])
    record(owner, "1", day, DAYS[2])
    record(owner, "2", day)
    assert DAYS[2] not in states(warehouse, "views")
    record(owner, "3", day, DAYS[2])
    record(owner, "4", day, DAYS[2])
    assert states(warehouse, "views")[DAYS[2]] == ("refused", ["sums"])
    [(since, is_published)] = read(
        warehouse, "select since, is_published from stale_days where metric_date = '2026-10-03' and mart = 'views'"
    )
    assert (since,) == owner.execute("select checked_at from ops.check_results where build_id = '3'").fetchone()
    assert is_published, "the rows of before stay"


def test_a_mart_that_waits_is_late_alone(warehouse: Warehouse, owner: psycopg.Connection) -> None:
    owner.execute("update ops.published_marts set last_published_date = '2026-10-01' where mart = 'clicks'")
    assert states(warehouse, "clicks")[DAYS[2]] == ("late", ["plan"])
    assert DAYS[2] not in states(warehouse, "views")


def test_days_of_older_versions_are_told_from_stale_ones(warehouse: Warehouse, owner: psycopg.Connection) -> None:
    owner.execute("insert into ops.applied_models values ('views', 'v1', 'v2'), ('clicks', 'c1', 'c1')")
    owner.execute("insert into ops.applied_plan (is_in_place) values (false)")
    assert states(warehouse, "views")[DAYS[0]] == ("older version", ["plan"])
    owner.execute("update ops.applied_models set version = 'v2', mixed_since = '2026-10-03' where model = 'views'")
    owner.execute("delete from ops.applied_plan")
    assert states(warehouse, "views")[DAYS[0]] == ("older version", ["kept_by_plan"])
    assert DAYS[2] not in states(warehouse, "views")
    assert DAYS[0] not in states(warehouse, "clicks")


def test_sealed_days_are_final_and_gaps_in_them_are_missing(warehouse: Warehouse, owner: psycopg.Connection) -> None:
    owner.execute("insert into ops.retention (sealed_before, visitor_days_from) values ('2026-10-03', '2026-09-28')")
    assert states(warehouse, "views") == {
        DAYS[0]: ("sealed", ["sealed"]),
        DAYS[1]: ("missing", ["nothing_loaded", "sealed"]),
        DAYS[3]: ("late", ["nothing_loaded"]),
    }


def test_a_first_day_that_is_refused_is_named_without_a_mart(
    warehouse: Warehouse, connection: psycopg.Connection
) -> None:
    connection.autocommit = True
    record(connection, "1", Window.day(DAY), DAY)
    rows = read(warehouse, "select metric_date, mart, state, is_published from stale_days")
    assert rows == [(DAY, None, "refused", False)]


def test_the_history_of_a_check_has_a_row_for_each_change_of_result(
    warehouse: Warehouse, owner: psycopg.Connection
) -> None:
    both = Window(DAYS[0], DAYS[2])
    record(owner, "1", both, DAYS[1], wrong=2, first="a text")
    record(owner, "2", both, DAYS[1], wrong=1)
    record(owner, "3", Window.day(DAYS[1]), wrong=0)
    rows = read(
        warehouse,
        "select metric_date, result, run_id, is_latest, value, since < last_checked_at from check_history"
        " order by metric_date, since",
    )
    assert rows == [
        (DAYS[0], "passed", "2", True, {"wrong": 1}, True),
        (DAYS[1], "failed", "2", False, {"wrong": 1}, True),
        (DAYS[1], "passed", "3", True, {"wrong": 0}, False),
    ]
    assert "ana@" not in str(read(warehouse, "select * from check_history")), "samples may name persons"


def test_the_lines_of_a_landing_day_add_up_by_outcome_and_reason(pipeline: Pipeline) -> None:
    def view(key: str, **fields: Any) -> Mapping[str, Any]:
        at = f"{DAYS[1]}T10:00:00Z"
        return {"eventType": "asset_viewed", "occurredAt": at, "idempotencyKey": key, "anonymousId": "d"} | fields

    dropped = view("b", attribution={"utmSource": "x" * 300})
    pipeline.land(DAYS[1], [view("a"), view("a"), dropped, view("c", context={"doNotTrack": True})])
    pipeline.land(DAYS[1], ["no json", "[]", "[]", view("d", eventType="A B")], "part-1.ndjson")
    pipeline.land(DAYS[3], [view("e", receivedAt=f"{DAYS[3]}T10:00:00Z")])
    pipeline.load(Window(DAYS[0], DAYS[3] + ONE_DAY))
    rows = read(
        pipeline.warehouse,
        "select metric_date, files, lines_read, accepted, rejected, duplicates, not_tracked, erased, late, quarantined,"
        " fields_dropped from data_quality order by 1",
    )
    assert rows == [
        (DAYS[1], 2, 8, 2, 4, 1, 1, 0, 0, 4, 1),
        (DAYS[2], 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
        (DAYS[3], 1, 1, 1, 0, 0, 0, 0, 1, 0, 0),
    ]
    by_reason = read(
        pipeline.warehouse,
        "select reason, lines::bigint from data_quality"
        " cross join lateral jsonb_each_text(rejected_by_reason) as rejected(reason, lines)",
    )
    assert sum(lines for _, lines in by_reason) == 4
    assert ("line: an array of events; write one event per line (NDJSON)", 2) in by_reason
    pipeline.connection.execute("delete from raw.rejected_events where reason like 'line: an array%'")
    pipeline.connection.execute("update ops.loads set dropped_rejected = 2 where rejected = 4")
    [(quarantined, reasons)] = read(
        pipeline.warehouse, "select quarantined, rejected_by_reason from data_quality where rejected = 4"
    )
    assert quarantined == 2
    assert sum(reasons.values()) == 4
