"""Raw events as files, by the job that people start: what is in them, in what form, and what is said when it fails."""

import csv
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg
import pyarrow.parquet as pq
import pytest
from psycopg.types.json import Jsonb

from ingestion import day_partitions
from ingestion.raw_access import export_files, export_query
from ingestion.raw_access.export import export_events
from ingestion.raw_access.export_selection import ExportError, ExportSelection
from orchestration.defs.jobs import export_events as export
from orchestration.defs.resources import ExportsResource, SourcesResource, WarehouseResource
from tests.support.handmade_marts import DAY
from tests.support.keys import HASH_KEY
from warehouse.connection import Warehouse

NEXT = DAY + timedelta(days=1)
TOKEN = "encrypted:1:0123abcd:c2VjcmV0"
PROPS = {
    "title": 'Grüße, "quoted"\nand =1+1',
    "legalName": TOKEN,
    "more": {"names": [TOKEN, "jane@example.com"], "password": "hush"},
}
EVENTS: list[dict[str, Any]] = [
    {"event_date": DAY, "event_key": "b", "ip_asset_id": "asset-1", "actor_id": "user-1", "props": PROPS},
    {"event_date": DAY, "event_key": "a", "ip_asset_id": "asset-2", "actor_id": "jane@example.com", "props": {}},
    {"event_date": NEXT, "event_key": "c", "ip_asset_id": "asset-1", "event_type": "license_created", "props": {}},
]


@pytest.fixture
def stored(connection: psycopg.Connection) -> psycopg.Connection:
    connection.autocommit = True
    with connection.transaction(), connection.cursor() as cursor:
        day_partitions.create(cursor, [DAY, NEXT])
    for number, event in enumerate(EVENTS):
        row = {
            "event_id": f"00000000-0000-8000-8000-00000000000{number}",
            "event_type": "asset_viewed",
            "occurred_at": datetime(event["event_date"].year, 10, event["event_date"].day, 12, tzinfo=UTC),
            "received_at": datetime(2026, 10, 3, tzinfo=UTC),
            "source": "web",
            "revenue_cents": 9_007_199_254_740_993,
            "engagement_time": "1.5",
            "is_bot": False,
            "canonical_hash": b"hash",
            "load_id": 1,
            "line_number": number,
            **event,
            "props": Jsonb(event["props"]),
        }
        connection.execute(
            f"insert into raw.events ({', '.join(row)}) values ({', '.join(['%s'] * len(row))})", list(row.values())
        )
    connection.execute(
        "insert into raw.attribution"
        " (event_date, event_key, event_id, utm_campaign, referrer, gclid, load_id, line_number)"
        " values (%s, 'b', gen_random_uuid(), '=cmd()', 'https://shop.example/?email=jane@example.com', 'click', 1, 1)",
        [DAY],
    )
    return connection


def run(warehouse: Warehouse, folder: Path, **config: str) -> dg.ExecuteInProcessResult:
    return export.export_events.execute_in_process(
        run_config={"ops": {"export_events_op": {"config": config}}},
        resources={
            "warehouse": WarehouseResource(url=warehouse.url),
            "exports": ExportsResource(folder=str(folder)),
            "sources": SourcesResource(
                landing_url=str(folder), application_url="", hash_key=HASH_KEY, start_date=str(DAY)
            ),
        },
        raise_on_error=False,
    )


def in_csv(file: Path) -> list[dict[str, str]]:
    with file.open(newline="", encoding="utf-8") as text:
        return list(csv.DictReader(text))


def test_a_period_is_a_csv_file_of_its_events_in_the_order_of_their_time_without_personal_data(
    stored: psycopg.Connection, warehouse: Warehouse, tmp_path: Path
) -> None:
    result = run(warehouse, tmp_path / "exports", start="2026-10-01", end="2026-10-03")
    assert result.success
    (file,) = (tmp_path / "exports").iterdir()
    assert file.name == f"events-2026-10-01-2026-10-03-{result.run_id[:8]}.csv"
    assert file.stat().st_mode & 0o777 == 0o600

    content = file.read_text()
    assert not [word for word in ("jane", "hush", "encrypted", "click", "hash") if word in content]
    events = in_csv(file)
    assert [event["event_key"] for event in events] == ["a", "b", "c"]
    assert events[0]["actor_id"] == "[redacted]"
    first = events[1]
    assert first["actor_id"] == "user-1"
    assert first["occurred_at"] == "2026-10-01T12:00:00+00:00"
    assert (first["revenue_cents"], first["engagement_time"], first["is_bot"]) == ("9007199254740993", "1.500", "false")
    assert first["utm_campaign"] == "'=cmd()", "no formula to the program that opens it"
    assert first["referrer"] == "https://shop.example/?email=[redacted]"
    assert first["gclid"] == "[redacted]"
    assert json.loads(first["props"]) == {
        "title": PROPS["title"],
        "legalName": "[redacted]",
        "more": {"names": ["[redacted]", "[redacted]"], "password": "[redacted]"},
    }


def test_a_format_that_does_not_exist_is_refused_before_the_run(warehouse: Warehouse, tmp_path: Path) -> None:
    with pytest.raises(dg.DagsterInvalidConfigError, match="xlsx"):
        run(warehouse, tmp_path, start="2026-10-01", end="2026-10-03", format="xlsx")


def test_ids_in_csv_stay_equal_to_the_ids_of_other_tables(
    stored: psycopg.Connection, warehouse: Warehouse, tmp_path: Path
) -> None:
    ids = {"actor_id": "-NxA1", "entity_id": "-OyB2", "ip_asset_id": "+7", "anonymous_id": "=9", "event_key": "@b"}
    with warehouse.connect(autocommit=True) as connection:
        changes = ", ".join(f"{name} = %s" for name in ids)
        connection.execute(f"update raw.events set {changes} where event_key = 'b'", list(ids.values()))
    assert run(warehouse, tmp_path, start="2026-10-01", end="2026-10-03").success
    (file,) = tmp_path.iterdir()
    [found] = [event for event in in_csv(file) if event["event_key"] == "@b"]
    assert {name: found[name] for name in ids} == ids


def test_parquet_holds_the_same_with_its_types(
    stored: psycopg.Connection, warehouse: Warehouse, tmp_path: Path
) -> None:
    assert run(warehouse, tmp_path, start="2026-10-01", end="2026-10-03", format="parquet").success
    (file,) = tmp_path.iterdir()
    rows = pq.read_table(file).to_pylist()
    assert [row["event_key"] for row in rows] == ["a", "b", "c"]
    assert rows[1]["occurred_at"] == datetime(2026, 10, 1, 12, tzinfo=UTC)
    assert (rows[1]["event_date"], rows[1]["revenue_cents"]) == (date(2026, 10, 1), 9_007_199_254_740_993)
    assert str(rows[1]["engagement_time"]) == "1.500"
    assert rows[1]["utm_campaign"] == "=cmd()"
    assert json.loads(rows[1]["props"])["legalName"] == "[redacted]"
    assert rows[2]["utm_campaign"] is None


@pytest.mark.parametrize(
    ("config", "keys"),
    [
        ({"entity_type": "asset", "entity_id": "asset-1"}, ["b", "c"]),
        ({"entity_type": "user", "entity_id": "user-1"}, ["b"]),
        ({"entity_type": "asset", "entity_id": "asset-1", "event_type": "license_created"}, ["c"]),
        ({"entity_type": "asset", "entity_id": "asset-1", "start": "2026-10-01", "end": "2026-10-02"}, ["b"]),
        ({"start": "2026-09-01", "end": "2027-09-01", "event_type": "license_created"}, ["c"]),
    ],
)
def test_what_is_given_must_all_hold(
    stored: psycopg.Connection, tmp_path: Path, config: dict[str, str], keys: list[str]
) -> None:
    report = export_events(stored, ExportSelection.parse(**config), tmp_path / "events.csv")
    assert [event["event_key"] for event in in_csv(report.path)] == keys
    assert (report.events, report.file_bytes) == (len(keys), report.path.stat().st_size)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({}, "say which events: the days from start until before end, an entity, or both"),
        ({"event_type": "asset_viewed"}, "say which events"),
        ({"start": "2026-10-01"}, "start and end: a window needs both ends, but its end is missing"),
        ({"start": "2026-10-02", "end": "2026-10-01"}, "end 2026-10-01 is not after start 2026-10-02"),
        ({"start": "yesterday", "end": "2026-10-01"}, "start and end: give the day as YYYY-MM-DD, not as 'yesterday'"),
        ({"entity_type": "asset"}, "give both, or neither"),
        ({"entity_type": "invoice", "entity_id": "1"}, "entity_type 'invoice' is none of project, asset"),
        (
            {"entity_type": "asset", "entity_id": "nobody's"},
            "no event matches asset nobody's; nothing was written",
        ),
    ],
)
def test_what_cannot_be_exported_is_one_sentence_and_no_file(
    warehouse: Warehouse, tmp_path: Path, config: dict[str, str], words: str
) -> None:
    result = run(warehouse, tmp_path, **config)
    (event,) = [event for event in result.all_events if event.event_type == dg.DagsterEventType.STEP_FAILURE]
    assert words in str(event.step_failure_data.error)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_named(stored: psycopg.Connection, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ExportError, match=r"file/exports cannot be written: Not a directory; WAREHOUSE_EXPORTS"):
        export_events(
            stored, ExportSelection(entity_type="asset", entity_id="asset-1"), tmp_path / "file/exports/events.csv"
        )


def test_ids_in_the_name_of_a_file_lead_nowhere_else() -> None:
    name = ExportSelection(entity_type="asset", entity_id="../../etc/passwd").file_name("csv", run_id="0123456789")
    assert name == "events-asset-______etc_passwd-01234567.csv"


def test_a_few_events_are_in_memory_at_a_time_and_a_failure_leaves_no_file(
    stored: psycopg.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_query, "BATCH_ROWS", 1)
    batches = []

    def cell(value: object, *, is_id: bool) -> object:
        if value == "c":
            raise OSError("No space left on device")
        return value

    monkeypatch.setattr(export_files, "_cell", cell)
    monkeypatch.setattr(
        "ingestion.raw_access.export.redact_event", lambda event, _: batches.append(event["event_key"]) or event
    )
    with pytest.raises(OSError, match="No space left"):
        export_events(stored, ExportSelection.parse(start="2026-10-01", end="2026-10-03"), tmp_path / "events.csv")
    assert batches == ["a", "b", "c"]
    assert list(tmp_path.iterdir()) == []
