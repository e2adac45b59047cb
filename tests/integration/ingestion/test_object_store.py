"""Landing files in a bucket, on a server that speaks S3's protocol, and what is said when it does not answer so."""

import gzip
import io
from collections.abc import Iterator
from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from backports import zstd

from ingestion.ad_spend import csv_files as ad_spend_files
from ingestion.landing import object_store
from ingestion.landing.files import LandingError, LandingRoot, landing_files, scan_landing_day
from ingestion.landing.reading import checksum, read_lines
from ingestion.landing.storage import StorageUnreachable
from orchestration.retries import is_transient
from tests.support.object_store import BUCKET, NOBODY, PREFIX, S3, point_to, serving
from warehouse.window import Window

DAY = Window.day(date(2026, 10, 2))


@pytest.fixture(scope="module")
def server() -> Iterator[S3]:
    with serving() as server:
        yield server


@pytest.fixture
def s3(server: S3, monkeypatch: pytest.MonkeyPatch) -> S3:
    server.empty()
    point_to(server.endpoint, monkeypatch)
    return server


def parquet(table: pa.Table) -> bytes:
    stored = io.BytesIO()
    pq.write_table(table, stored)
    return stored.getvalue()


def test_the_files_of_the_windows_days_are_found_and_nothing_else(s3: S3) -> None:
    for name in (
        "events/dt=2026-10-02/b.ndjson.gz",
        "events/dt=2026-10-02/a.ndjson",
        "events/dt=2026-10-03/c.ndjson",
        "events/dt=2026-10-02/d.ndjson.tmp",
        "events/dt=2026-10-02/_SUCCESS",
        "ad_spend/october.csv",
    ):
        s3.put(name, b"{}\n")
    # What the web console leaves behind where a person made a folder.
    s3.put("events/", b"")
    s3.put("events/dt=2026-10-02/", b"")
    root = LandingRoot.from_url(s3.url)
    found = ["events/dt=2026-10-02/a.ndjson", "events/dt=2026-10-02/b.ndjson.gz"]
    assert [file.name for file in landing_files(root, DAY)] == found
    assert [file.name for file in scan_landing_day(root, DAY.start)[0]] == found
    [first, _] = landing_files(root, DAY)
    assert first.location == f"s3://{BUCKET}/{PREFIX}/events/dt=2026-10-02/a.ndjson"
    assert first.size == 3
    assert [file.name for file in ad_spend_files.ad_spend_files(root)[0]] == ["ad_spend/october.csv"]


def test_more_files_than_one_answer_lists_are_all_found(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(25):
        s3.land(DAY, b"", f"{number:02d}.ndjson")
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "10")
    assert len(landing_files(LandingRoot.from_url(s3.url), DAY)) == 25


@pytest.mark.parametrize("name", ["events/dt=2026-10-02//a.ndjson", "events//a.ndjson", "events/dt=/a.ndjson"])
def test_a_folder_with_an_empty_name_is_told_so_and_not_tried_again(s3: S3, name: str) -> None:
    s3.put(name, b"{}\n")
    with pytest.raises(LandingError, match=r"(has an empty name|has no date in its name)") as caught:
        landing_files(LandingRoot.from_url(s3.url), DAY)
    assert not is_transient(caught.value)


def test_a_bucket_without_files_has_none(s3: S3) -> None:
    assert landing_files(LandingRoot.from_url(s3.url), DAY) == []
    assert scan_landing_day(LandingRoot.from_url(s3.url), DAY.start)[0] == []


@pytest.mark.parametrize("name", ["é #%?&+~ x.ndjson", "100%25.ndjson", "a=b;c,d(e)'.ndjson"])
def test_names_of_any_characters_are_read(s3: S3, name: str) -> None:
    s3.land(DAY, b"{}\n", name)
    [file] = landing_files(LandingRoot.from_url(s3.url), DAY)
    assert file.entry.own_name == name
    assert list(read_lines(file)) == [(1, 1, b"{}")]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.ndjson", b'{"actorId":1}\n{"actorId":2}\n'),
        ("a.ndjson.gz", gzip.compress(b'{"actorId":1}\n{"actorId":2}\n', mtime=0)),
        ("a.ndjson.zst", zstd.compress(b'{"actorId":1}\n{"actorId":2}\n')),
        ("a.parquet", parquet(pa.table({"actorId": [1, 2]}))),
    ],
)
def test_every_format_is_read_range_by_range(
    s3: S3, name: str, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(object_store, "RANGE_BYTES", 10)
    s3.land(DAY, content, name)
    [file] = landing_files(LandingRoot.from_url(s3.url), DAY)
    assert list(read_lines(file, checksum(file))) == [(1, 1, b'{"actorId":1}'), (2, 1, b'{"actorId":2}')]


@pytest.mark.parametrize("name", ["a.ndjson", "a.ndjson.gz", "a.ndjson.zst", "a.parquet"])
def test_an_object_of_no_bytes_is_an_empty_file(s3: S3, name: str) -> None:
    s3.land(DAY, b"", name)
    [file] = landing_files(LandingRoot.from_url(s3.url), DAY)
    assert list(read_lines(file, checksum(file))) == []


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.ndjson.gz", gzip.compress(b"{}\n" * 5_000, mtime=0)[:-9]),
        ("a.ndjson.zst", zstd.compress(b"{}\n" * 5_000)[:-9]),
        ("a.parquet", parquet(pa.table({"actorId": [1, 2]}))[:-9]),
    ],
)
def test_a_truncated_object_is_named_by_its_url(s3: S3, name: str, content: bytes) -> None:
    s3.land(DAY, content, name)
    [file] = landing_files(LandingRoot.from_url(s3.url), DAY)
    with pytest.raises(LandingError, match=rf"s3://{BUCKET}/{PREFIX}/events/dt=2026-10-02/{name} is .*truncated"):
        list(read_lines(file))


def test_an_object_that_is_replaced_under_its_reader_is_noticed(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(object_store, "RANGE_BYTES", 400_000)
    s3.land(DAY, b"{}\n" * 500_000)
    [file] = landing_files(LandingRoot.from_url(s3.url), DAY)
    lines = read_lines(file)
    next(lines)
    s3.land(DAY, b"[]\n" * 500_000)
    with pytest.raises(LandingError, match=r"a\.ndjson changed while it was read"):
        list(lines)


def test_an_object_that_is_gone_is_named(s3: S3) -> None:
    s3.land(DAY, b"{}\n")
    [file] = landing_files(LandingRoot.from_url(s3.url), DAY)
    s3.empty()
    with pytest.raises(LandingError, match=r"a\.ndjson cannot be read \(no such object\): check that it is there"):
        checksum(file)


def test_a_file_that_is_deleted_is_gone_and_the_others_stay(s3: S3) -> None:
    for name in ("a.ndjson", "b.ndjson"):
        s3.land(DAY, b"{}\n", name)
    root = LandingRoot.from_url(s3.url)
    first, second = landing_files(root, DAY)
    first.storage.delete(first.name)
    assert [file.name for file in landing_files(root, DAY)] == [second.name]


def test_a_missing_bucket_says_to_create_it(s3: S3) -> None:
    with pytest.raises(LandingError, match=r"s3://nowhere/x/events cannot be listed \(.*does not exist\): create the"):
        landing_files(LandingRoot.from_url("s3://nowhere/x"), DAY)


def test_refused_credentials_say_which_to_check_and_are_not_tried_again(s3: S3) -> None:
    s3.land(DAY, b"{}\n")
    root = LandingRoot.from_url(s3.url)
    [file] = landing_files(root, DAY)
    with s3.checking_credentials():
        with pytest.raises(LandingError, match=r"cannot be listed .*InvalidAccessKeyId.*AWS_ACCESS_KEY_ID") as listing:
            landing_files(root, DAY)
        with pytest.raises(LandingError, match=r"a\.ndjson cannot be read .*check the credentials") as reading:
            checksum(file)
    assert not is_transient(listing.value)
    assert not is_transient(reading.value)


def test_an_endpoint_that_does_not_answer_is_named_and_may_be_tried_again(
    s3: S3, monkeypatch: pytest.MonkeyPatch
) -> None:
    point_to(NOBODY, monkeypatch)
    with pytest.raises(LandingError, match=rf"cannot be listed .*{NOBODY}.*AWS_ENDPOINT_URL") as refusal:
        landing_files(LandingRoot.from_url(s3.url), DAY)
    assert isinstance(refusal.value.__cause__, StorageUnreachable)
    assert is_transient(refusal.value)
    with pytest.raises(LandingError, match="cannot be listed"):
        ad_spend_files.ad_spend_files(LandingRoot.from_url(s3.url))
