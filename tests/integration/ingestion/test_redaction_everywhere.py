"""Personal data in thousands of lines, a real load, and what is left of it: in the tables and in exported files."""

import csv
import gzip
import json
import re
from pathlib import Path
from random import Random

import psycopg
import pyarrow.parquet as pq
import pytest

from ingestion.hashing import hash_email
from ingestion.loading.landing_day import load_landing_day
from ingestion.raw_access.export import export_events
from ingestion.raw_access.export_selection import ExportSelection
from ingestion.tracking import LandingWriter, Tracker
from ingestion.validation_lists import default_rules
from tests.support.keys import HASH_KEY
from tests.support.personal_data import Plant, plant, planted_line, survives
from tests.support.pipeline import START, Pipeline

LINES = 1_200
RULES = default_rules().with_settings(hash_key=HASH_KEY)
ADDRESS = "ana.maria@private.example"


@pytest.fixture
def planted(pipeline: Pipeline) -> list[Plant]:
    """Load a day of lines that hold personal data each; return that data."""
    rng = Random(11)  # noqa: S311
    plants = [plant(rng) for _ in range(LINES)]
    lines: list[object] = [planted_line(rng, planted, number, START) for number, planted in enumerate(plants)]
    named = {"eventType": "page_viewed", "occurredAt": f"{START}T10:00:00Z", "source": "api"}
    lines += [named | {"idempotencyKey": f"id-{number}", "actorId": ADDRESS} for number in range(3)]
    pipeline.land(START, lines)
    report = load_landing_day(
        pipeline.connection, root=pipeline.landing, landing_date=START, start_date=START, rules=RULES
    )
    assert report.lines_read == LINES + 3
    assert report.accepted > LINES / 2
    return plants


def table_texts(connection: psycopg.Connection) -> dict[str, str]:
    """Return the content of every table of raw and ops as text."""
    tables = connection.execute(
        "select format('%I.%I', schemaname, tablename) from pg_tables where schemaname in ('raw', 'ops')"
    ).fetchall()
    return {
        table: "\n".join(row for (row,) in connection.execute(f"select t::text from {table} as t").fetchall())
        for (table,) in tables
    }


def left_in(text: str, plants: list[Plant]) -> list[Plant]:
    """Return what survives: of each line, known by its key, in what stands behind that key."""
    pieces = re.split(r"key-([0-9]+)", text)
    rows = zip(map(int, pieces[1::2]), pieces[2::2], strict=True)
    return [plants[number] for number, row in rows if survives(plants[number].core, row)]


def test_nothing_personal_is_left_in_tables_and_exports(
    pipeline: Pipeline, planted: list[Plant], tmp_path: Path
) -> None:
    connection = pipeline.connection
    texts = table_texts(connection)
    assert "[redacted]" in texts["raw.rejected_events"]
    for suffix in ("csv", "parquet"):
        path = tmp_path / f"events.{suffix}"
        report = export_events(connection, ExportSelection.parse(start=str(START), end="2026-10-02"), path, rules=RULES)
        assert report.events > LINES / 2
        texts[suffix] = (
            path.read_text() if suffix == "csv" else json.dumps(pq.read_table(path).to_pylist(), default=str)
        )
    assert {place: left_in(text, planted) for place, text in texts.items() if left_in(text, planted)} == {}


def test_a_hashed_id_is_counted_and_found_by_its_address(
    pipeline: Pipeline, planted: list[Plant], tmp_path: Path
) -> None:
    hashed = hash_email(ADDRESS, HASH_KEY.encode())
    assert pipeline.rows(f"select count(*) from raw.events where actor_id = '{hashed}'") == [(3,)]
    assert pipeline.rows("select hashed_ids from ops.loads where hashed_ids <> '{}'") == [({"actorId": 3},)]
    path = tmp_path / "events.csv"
    selection = ExportSelection.parse(entity_type="user", entity_id=ADDRESS)
    export_events(pipeline.connection, selection, path, rules=RULES)
    with path.open(newline="") as file:
        assert {row["actor_id"] for row in csv.DictReader(file)} == {hashed}
    assert ADDRESS not in selection.file_name("csv", run_id="12345678")


def test_tracker_files_hold_nothing_personal_and_load(pipeline: Pipeline, tmp_path: Path) -> None:
    rng = Random(5)  # noqa: S311
    plants = [plant(rng) for _ in range(300)]
    with Tracker(LandingWriter(tmp_path, producer="shop"), hash_key=HASH_KEY) as tracker:
        for number, planted in enumerate(plants):
            line = planted_line(rng, planted, number, START)
            if line.endswith("}"):
                tracker.track_event(json.loads(line))
    content = b"".join(gzip.decompress(file.read_bytes()) for file in tmp_path.rglob("*.gz")).decode()
    assert content.count("\n") > 150
    assert left_in(content, plants) == []
