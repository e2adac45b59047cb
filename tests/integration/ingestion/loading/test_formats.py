"""Formats and storages: equal events give equal raw tables."""

import gzip
import io
import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from backports import zstd

from ingestion.landing.files import LandingError, LandingRoot
from ingestion.loading.landing_day import load_landing_day
from tests.integration.ingestion.loading import model
from tests.integration.ingestion.loading.raw_tables import RawTables, event
from tests.support.object_store import point_to, serving
from tests.support.pipeline import START

DAY = date(2026, 10, 2)
# Good, late, in snake_case, several copies, not tracked, broken in several ways.
EVENTS: list[dict[str, Any]] = [
    event("a", receivedAt="2026-10-02T10:00:01Z", actorId="u1", actorType="user", props={"revenueCents": 1500}),
    event("a", receivedAt="2026-10-02T10:00:00Z", props={"revenueCents": 1500, "engagementTime": 2.5}),
    event(
        None, anonymousId="d1", props={"title": "Größe ✓", "mail": "jane@example.com", "list": [1, None, {"x": "y"}]}
    ),
    event(None, anonymousId="d1", attribution={"utmSource": "google", "gclid": "g"}, context={"doNotTrack": False}),
    event("b", at="2026-10-01T23:59:59.999999Z", sessionId="1b4e28ba-2fa1-41d2-883f-0016d3cca427"),
    {"event_type": "license_created", "occurred_at": "2026-10-02T12:00:00+02:00", "event_id": "c", "props": {}},
    event("d", context={"doNotTrack": True, "userAgent": "Mozilla/5.0"}),
    event("e", at="2026-10-02T10:00:00"),
    event("f", eventType="Asset Viewed", source="fax"),
    event("g", entityId="asset-1"),
    {"anonymousId": "nothing else"},
]
NESTED = ("props", "attribution", "context")


def as_lines(events: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(event).encode() + b"\n" for event in events)


def as_parquet(events: list[dict[str, Any]]) -> bytes:
    """Text columns, in the form of each event; sections as their JSON."""
    names = sorted({name for event in events for name in event})
    columns = {
        name: [json.dumps(e[name]) if name in NESTED and name in e else e.get(name) for e in events] for name in names
    }
    stored = io.BytesIO()
    pq.write_table(pa.table(columns), stored, row_group_size=4)
    return stored.getvalue()


FORMATS: dict[str, Callable[[list[dict[str, Any]]], bytes]] = {
    "part-0.ndjson": as_lines,
    "part-0.json": as_lines,
    "part-0.ndjson.gz": lambda events: gzip.compress(as_lines(events)),
    "part-0.ndjson.zst": lambda events: zstd.compress(as_lines(events)),
    "part-0.parquet": as_parquet,
}


def write(raw: RawTables, name: str, content: bytes) -> None:
    path = raw.landing / f"events/dt={DAY}" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)


def outcome(raw: RawTables) -> Any:
    """All of raw and its counts, but for the text of rejected lines, whose keys Parquet has in another order."""
    contents = raw.contents()
    contents["raw.rejected_events"] = sorted(
        raw.rows("select line_number, reasons, line::jsonb from raw.rejected_events"), key=lambda row: row[0]
    )
    places = raw.rows("select event_date, event_key, line_number from raw.events order by 1, 2, 3")
    return contents, places, list(raw.ledger().values())


def test_every_format_gives_the_same_raw_tables(raw: RawTables) -> None:
    outcomes = {}
    for name, convert in FORMATS.items():
        write(raw, name, convert(EVENTS))
        raw.load(DAY)
        raw.assert_ledger_adds_up()
        outcomes[name] = outcome(raw)
        (raw.landing / f"events/dt={DAY}" / name).unlink()
        raw.reset()
    expected = outcomes["part-0.ndjson"]
    assert expected[2] == [model.Counts(11, 5, 4, 1, 1)]
    for name, found in outcomes.items():
        assert found == expected, name


def test_a_bucket_gives_the_same_raw_tables_as_a_folder(raw: RawTables, monkeypatch: pytest.MonkeyPatch) -> None:
    write(raw, "part-0.ndjson.zst", FORMATS["part-0.ndjson.zst"](EVENTS))
    raw.load(DAY)
    expected = outcome(raw)
    raw.reset()
    with serving() as s3:
        point_to(s3.endpoint, monkeypatch)
        root = LandingRoot.from_url(s3.url)
        s3.put(f"events/dt={DAY}/part-0.ndjson.zst", FORMATS["part-0.ndjson.zst"](EVENTS))
        report = load_landing_day(raw.pipeline.connection, root=root, landing_date=DAY, start_date=START)
        assert report.loaded == (f"events/dt={DAY}/part-0.ndjson.zst",)
        assert outcome(raw) == expected
        again = load_landing_day(raw.pipeline.connection, root=root, landing_date=DAY, start_date=START)
        assert again.unchanged == report.loaded


def test_columns_with_types_of_their_own_give_the_same_events_as_lines(raw: RawTables) -> None:
    at = datetime(2026, 10, 2, 10, 0, 0, 123_456, tzinfo=UTC)
    lines = [
        event("a", at="2026-10-02T10:00:00.123456Z", props={"revenueCents": 1500, "engagementTime": 12.5}),
        event("b", at="2026-10-02T10:00:00.123456Z", props={"engagementTime": 3}, attribution={"utmSource": "x"}),
        event("c", at="2026-10-02T10:00:00.123456Z"),
    ]
    table = pa.table(
        {
            "event_type": ["asset_viewed"] * 3,
            "occurred_at": pa.array([at] * 3, pa.timestamp("ns", "Europe/Berlin")),
            "idempotency_key": ["a", "b", "c"],
            "props": [{"revenueCents": 1500.0, "engagementTime": 12.5}, {"engagementTime": 3.0}, None],
            "attribution": [None, {"utm_source": "x"}, None],
        }
    )
    write(raw, "a.ndjson", as_lines(lines))
    raw.load(DAY)
    expected = raw.contents()
    raw.reset()
    (raw.landing / f"events/dt={DAY}/a.ndjson").unlink()
    with (raw.landing / f"events/dt={DAY}/a.parquet").open("wb") as stored:
        pq.write_table(table, stored)
    raw.load(DAY)
    assert raw.contents() == expected
    assert raw.keys() == ["a", "b", "c"]


@pytest.mark.parametrize("name", ["part-0.ndjson.zst", "part-0.parquet"])
def test_a_truncated_file_is_named_and_nothing_of_its_landing_day_is_loaded(raw: RawTables, name: str) -> None:
    whole = FORMATS[name]([event(str(number)) for number in range(2_000)])
    write(raw, name, whole[: len(whole) // 2])
    raw.land(DAY, [event("a")], "earlier.ndjson")
    with pytest.raises(LandingError, match=rf"dt=2026-10-02/{name} .*truncated"):
        raw.load(DAY)
    assert raw.keys() == []
    write(raw, name, whole)
    assert raw.load(DAY).accepted == 2_001


@pytest.mark.parametrize("name", ["export.json", "export.ndjson.gz"])
def test_an_array_over_many_lines_is_one_row_that_says_what_to_do(raw: RawTables, name: str) -> None:
    array = json.dumps([event(str(number)) for number in range(1_000)], indent=2).encode()
    write(raw, name, gzip.compress(array) if name.endswith(".gz") else array)
    raw.land(DAY, [event("a")], "good.ndjson")
    report = raw.load(DAY)
    assert (report.lines_read, report.accepted, report.rejected) == (2, 1, 1)
    raw.assert_ledger_adds_up()
    assert raw.rows("select reasons, line_bytes, line_number from raw.rejected_events") == [
        (["line: an array of events; write one event per line (NDJSON)"], len(array), 1)
    ]


def test_columns_of_parquet_that_are_no_fields_do_not_count(raw: RawTables) -> None:
    table = pa.table({
        "eventType": ["asset_viewed"] * 3, "occurredAt": [datetime(2026, 10, 2, 10, tzinfo=UTC)] * 3,
        "idempotencyKey": ["a", "b", "c"], "page_load": pa.array([1, None, 3], pa.duration("us")),
        "props": pa.array([{"wait": timedelta(1)}, {"wait": None}, None]),
    })  # fmt: skip
    stored = io.BytesIO()
    pq.write_table(table, stored)
    write(raw, "a.parquet", stored.getvalue())
    report = raw.load(DAY)
    assert (report.lines_read, report.accepted, report.rejected) == (3, 2, 1)
    assert raw.keys() == ["b", "c"]
    assert raw.rows("select line_number, line_position, reasons from raw.rejected_events") == [
        (1, 1, ["props.wait: of the Parquet type duration[us], which JSON has not"])
    ]


def test_long_rows_of_parquet_are_rejected_and_their_neighbours_loaded(raw: RawTables) -> None:
    long = pa.DictionaryArray.from_arrays(pa.array([0, 1] * 300, pa.int32()), pa.array(["u", "x" * 5_600_000]))
    stored = io.BytesIO()
    at = pa.array([datetime(2026, 10, 2, 10, tzinfo=UTC)] * 600)
    keys = [f"{number}" for number in range(600)]
    table = pa.table({"eventType": ["asset_viewed"] * 600, "occurredAt": at, "idempotencyKey": keys, "actorId": long})
    pq.write_table(table, stored, compression="zstd")
    write(raw, "a.parquet", stored.getvalue())
    report = raw.load(DAY)
    assert (report.lines_read, report.accepted + report.rejected, report.accepted) == (600, 600, 100)
    assert raw.rows(
        "select distinct reasons[1], line_bytes > 5600000 from raw.rejected_events where line_number %% 2 = 0"
    ) == [("line: longer than 1048576 bytes", True)]
