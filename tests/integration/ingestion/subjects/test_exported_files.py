"""Export of a subject to an archive, and erasure of a subject from files that were exported before."""

import csv
import io
import json
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ingestion.subjects import requests
from ingestion.subjects.exported_files import erase_from_exports
from ingestion.subjects.identity import find_subject
from ingestion.subjects.subject import NamedIds, Subject
from ingestion.subjects.subject_archive import export_subject
from tests.integration.ingestion.subjects.subject_requests import event
from tests.support.keys import HASH_KEY
from tests.support.pipeline import START, Pipeline
from warehouse.window import Window

ANA = {"actorId": "user-ana", "anonymousId": "device-ana"}


def loaded(pipeline: Pipeline) -> Subject:
    pipeline.land(
        START,
        [
            event("a1", START, **ANA, attribution={"utmSource": "mail"}),
            event("a2", START, anonymousId="device-ana"),
            event("a2", START, anonymousId="device-ana", receivedAt=f"{START}T13:00:00Z"),
            event("b1", START, actorId="user-ben", attribution={"utmSource": "ads"}),
            {"eventType": "page_viewed", "actorId": "user-ana"},
            {"eventType": "page_viewed", "actorId": "user-ben"},
        ],
    )
    pipeline.load(Window.day(START))
    with pipeline.connection.cursor() as cursor:
        return find_subject(cursor, NamedIds(persons=("user-ana",)), hash_key=HASH_KEY)


def test_an_archive_has_all_rows_of_the_subject_and_of_nobody_else(pipeline: Pipeline, tmp_path: Path) -> None:
    subject = loaded(pipeline)
    report = export_subject(pipeline.connection, subject, tmp_path / "exports" / "subject-1.zip")
    assert report.rows == {
        "raw.attribution": 1,
        "raw.duplicate_events": 1,
        "raw.events": 2,
        "raw.rejected_events": 1,
    }
    with zipfile.ZipFile(report.path) as archive:
        summary = json.loads(archive.read("subject.json"))
        rows = list(csv.DictReader(io.StringIO(archive.read("raw.events.csv").decode())))
        everything = "".join(archive.read(name).decode() for name in archive.namelist())
    assert summary["ids"]["persons"] == ["user-ana"]
    assert summary["rows"] == report.rows
    assert {row["event_key"] for row in rows} == {"a1", "a2"}
    assert "user-ben" not in everything
    assert report.path.stat().st_mode & 0o077 == 0


def test_an_archive_shows_what_a_request_of_export_is_about_and_is_emptied(pipeline: Pipeline) -> None:
    loaded(pipeline)
    request_id = requests.create_request(
        pipeline.connection, requests.RequestKind.EXPORT, NamedIds(devices=("device-ana",)), requested_by="Eve"
    )
    assert pipeline.rows("select named_ids ->> 'devices' from ops.subject_requests") == [('["device-ana"]',)]
    with pipeline.connection.cursor() as cursor:
        requests.finish_request(cursor, request_id)
    assert pipeline.rows("select requested_by, named_ids, subject from ops.subject_requests") == [("Eve", None, None)]


def test_exported_files_lose_the_subjects_rows(pipeline: Pipeline, tmp_path: Path) -> None:
    subject = loaded(pipeline)
    archive = export_subject(pipeline.connection, subject, tmp_path / "subject-1.zip").path
    rows = [{"event_key": "a1", "actor_id": "user-ana"}, {"event_key": "b1", "actor_id": "user-ben"}]
    (tmp_path / "events.csv").write_text("event_key,actor_id\na1,user-ana\nb1,user-ben\n")
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "events.parquet")
    (tmp_path / "others.csv").write_text("event_key,actor_id\nb1,user-ben\nc1,user-analog\n")
    others = (tmp_path / "others.csv").stat().st_mtime_ns
    assert erase_from_exports(tmp_path, subject) == 3
    assert not archive.exists()
    assert (tmp_path / "events.csv").read_text().split() == ["event_key,actor_id", "b1,user-ben"]
    assert pq.read_table(tmp_path / "events.parquet").to_pylist() == rows[1:]
    assert (tmp_path / "others.csv").stat().st_mtime_ns == others
