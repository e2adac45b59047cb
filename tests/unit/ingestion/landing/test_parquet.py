"""Rows of Parquet files as the lines that a tracker would have sent."""

import decimal
import io
import json
import uuid
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ingestion.landing.files import LandingError, LandingFile, landing_files
from ingestion.landing.parquet import rows_as_lines
from ingestion.landing.reading import checksum, read_lines
from ingestion.validation.event_record import ValidEvent
from ingestion.validation.notes import Note
from ingestion.validation.validator import NotTracked, RejectedLine
from warehouse.window import Window

DAY = date(2026, 10, 3)
MIB = 1_048_576
NOON = datetime(2026, 10, 3, 12, 0, 0, 123_000, tzinfo=UTC)


def lines_of(table: pa.Table, **options: Any) -> list[bytes]:
    stored = io.BytesIO()
    pq.write_table(table, stored, **options)
    stored.seek(0)
    return [line for lines in rows_as_lines(stored) for line in lines]  # type: ignore[misc]


def value_of(column: Any) -> Any:
    """Return the value after a round trip through the column of a field; ... when it becomes absent."""
    [line] = lines_of(pa.table({"actorId": column}))
    return json.loads(line).get("actorId", ...)


def landed(root: Path, content: bytes, name: str = "a.parquet") -> LandingFile:
    folder = root / "events" / f"dt={DAY}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)
    [file] = landing_files(root, Window.day(DAY))
    return file


def stored(table: pa.Table, **options: Any) -> bytes:
    content = io.BytesIO()
    pq.write_table(table, content, **options)
    return content.getvalue()


@pytest.mark.parametrize(
    ("column", "value"),
    [
        (pa.array(["text ✓"]), "text ✓"),
        (pa.array(["text"], pa.large_string()), "text"),
        (pa.array(["text"]).dictionary_encode(), "text"),
        (pa.array([b"text"], pa.binary()), "text"),
        (pa.array([2**63 - 1]), 2**63 - 1),
        (pa.array([2**64 - 1], pa.uint64()), 2**64 - 1),
        (pa.array([12.5]), 12.5),
        (pa.array([1500.0]), 1500),
        (pa.array([-0.0]), 0),
        (pa.array([1e300]), 1e300),
        (pa.array([0.1], pa.float32()), 0.1),
        (pa.array([1500.0], pa.float32()), 1500),
        (pa.array([decimal.Decimal("1500.00")]), 1500),
        (pa.array([decimal.Decimal("12.50")]), 12.5),
        (pa.array([decimal.Decimal(2**62)]), 2**62),
        (pa.array([True]), True),
        (pa.array([date(2026, 10, 3)]), "2026-10-03"),
        (pa.array([uuid.UUID(int=1).bytes], pa.uuid()), str(uuid.UUID(int=1))),
        (pa.array(["{}"], pa.json_()), "{}"),
        (pa.array([{"a": 1, "b": None, "c": {"d": None}}]), {"a": 1, "c": {}}),
        (pa.array([[1, None, 3]]), [1, None, 3]),
        (pa.array([[{"a": 1.0}, None]]), [{"a": 1}, None]),
        (pa.array([[("a", 1), ("b", None)]], pa.map_(pa.string(), pa.int64())), {"a": 1, "b": None}),
        (pa.array([None], pa.string()), ...),
        (pa.array([None], pa.null()), ...),
        (pa.array([None], pa.struct({"a": pa.int64()})), ...),
        (pa.array([None], pa.map_(pa.string(), pa.int64())), ...),
        (pa.array([None], pa.list_(pa.int64())), ...),
    ],
)
def test_a_value_is_what_json_would_say(column, value):
    assert value_of(column) == value
    assert type(value_of(column)) is type(value)


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "+02:00"])
def test_a_timestamp_with_a_zone_is_its_instant_in_utc(unit, zone):
    at = datetime(2026, 10, 3, 12, tzinfo=UTC)
    assert value_of(pa.array([at], pa.timestamp(unit, zone))) == "2026-10-03T12:00:00+00:00"


def test_digits_of_a_timestamp_beyond_the_microsecond_are_cut_off():
    last = int(datetime(2026, 10, 4, tzinfo=UTC).timestamp()) * 1_000_000_000 - 1
    assert value_of(pa.array([last], pa.timestamp("ns", "UTC"))) == "2026-10-03T23:59:59.999999+00:00"


@pytest.mark.parametrize("moment", [2**62, -(2**62)])
@pytest.mark.parametrize("unit", ["ms", "us"])
def test_a_timestamp_of_no_calendar_year_does_not_stop_the_file(moment, unit):
    assert "since 1970" in value_of(pa.array([moment], pa.timestamp(unit, "UTC")))


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"occurredAt": pa.array([NOON.replace(tzinfo=None)])}, "occurredAt: no offset"),
        ({"occurredAt": pa.array([DAY])}, "occurredAt: no offset"),
        ({"props": pa.array(['{"a": 1, "a": 2}'])}, "line: a key is given twice in one object"),
        ({"props": pa.array(['{"a": "\\ud800"}'])}, "line: a lone surrogate (\\ud800 to \\udfff) in a key or a text"),
        ({"props": pa.array([[("a", 1), ("a", 2)]], pa.map_(pa.string(), pa.int64()))},
         "line: a key is given twice in one object"),
        ({"props": pa.array([{"revenueCents": 12.5}])},
         "props.revenueCents: not a whole number of cents from 0 to 1000000000000"),
        ({"props": pa.array([{"revenueCents": float("nan")}])}, "line: not JSON"),
        ({"actorId": pa.array([b"\xff"], pa.binary())}, "line: not UTF-8"),
        ({"actorId": pa.array([b"\xff"], pa.binary()).view(pa.string())}, "line: not UTF-8"),
        ({"actorId": pa.array(["a\0"])}, "line: a NUL character (\\u0000) in a key or a text"),
        ({"event_type": pa.array(["another"])}, "eventType: given twice with different values, also as event_type"),
    ],
)  # fmt: skip
def test_a_row_that_breaks_a_rule_is_rejected_with_the_reason_of_its_line(validator, columns, reason):
    good = {"eventType": pa.array(["asset_viewed"]), "occurredAt": pa.array([NOON])}
    [line] = lines_of(pa.table(good | columns))
    outcome = validator.validate(line)
    assert isinstance(outcome, RejectedLine)
    assert reason in outcome.reasons


@pytest.mark.parametrize("text", ['{"a":', "{}, 'source': 'api'", "5", "[]"])
def test_props_that_are_no_object_are_dropped_as_in_a_line(validator, text):
    table = pa.table({"eventType": ["asset_viewed"], "occurredAt": [NOON], "props": [text]})
    outcome = validator.validate(*lines_of(table))
    assert isinstance(outcome, ValidEvent)
    assert (outcome.props, outcome.notes) == (b"{}", (Note("dropped_fields", "props", "not an object"),))


@pytest.mark.parametrize("amount", [129_900, 129_900.0])
def test_an_amount_is_the_same_in_a_table_and_in_a_line(validator, amount):
    table = pa.table({"eventType": ["asset_viewed"], "occurredAt": [NOON], "props": [{"revenueCents": amount}]})
    line = {"eventType": "asset_viewed", "occurredAt": NOON.isoformat(), "props": {"revenueCents": amount}}
    for outcome in (validator.validate(*lines_of(table)), validator.validate(json.dumps(line).encode())):
        assert (outcome.revenue_cents, outcome.notes) == (129_900, ())


def test_columns_may_be_camel_case_or_snake_case_and_cents_floating_point(validator):
    in_camel = pa.table({
        "eventType": ["asset_viewed"], "occurredAt": [NOON], "props": [{"revenueCents": 1500}],
        "attribution": [{"utmSource": "google"}],
    })  # fmt: skip
    in_snake = pa.table({
        "event_type": ["asset_viewed"], "occurred_at": ["2026-10-03T14:00:00.123+02:00"], "actor_id": [None],
        "props": [{"revenue_cents": 1500.0}], "attribution": ['{"utm_source": "google"}'],
    })  # fmt: skip
    camel, snake = (validator.validate(*lines_of(table)) for table in (in_camel, in_snake))
    assert isinstance(camel, ValidEvent)
    assert camel == snake


def test_rows_are_numbered_and_empty_ones_are_blank_lines(tmp_path):
    table = pa.table({"actorId": pa.array([None if n % 3 == 0 else n for n in range(2_000)], pa.int64())})
    file = landed(tmp_path, stored(table, row_group_size=700))
    lines = list(read_lines(file, checksum(file)))
    assert [number for number, _, _ in lines] == [n + 1 for n in range(2_000) if n % 3]
    assert lines[-1] == (2_000, 1, b'{"actorId":1999}')


@pytest.mark.parametrize("codec", ["snappy", "gzip", "zstd", "lz4", "brotli", "none"])
def test_every_usual_compression_inside_is_read(codec):
    assert lines_of(pa.table({"actorId": [1]}), compression=codec) == [b'{"actorId":1}']


@pytest.mark.parametrize("table", [pa.table({}), pa.table({"actorId": pa.array([], pa.int64())})])
def test_a_table_without_rows_has_no_lines(table):
    assert lines_of(table) == []


def test_two_columns_of_one_field_are_an_error_and_of_no_field_ignored(tmp_path):
    twins = pa.Table.from_arrays([pa.array(["a"]), pa.array(["b"])], ["actorId", "actorId"])
    with pytest.raises(LandingError, match=r"a\.parquet has two columns with the name actorId"):
        list(read_lines(landed(tmp_path, stored(twins))))
    others = pa.Table.from_arrays([pa.array(["a"]), pa.array([1]), pa.array([2])], ["actorId", "x", "x"])
    assert lines_of(others) == [b'{"actorId":"a"}']


ODD = {
    "a duration": pa.array([timedelta(1)]),
    "a time": pa.array([time(12, 30)]),
    "a time of nanoseconds": pa.array([1], pa.time64("ns")),
    "raw bytes": pa.array([b"\xff\0"], pa.binary()),
    "bytes of a fixed length": pa.array([b"ab"], pa.binary(2)),
    "a list of a fixed length": pa.array([[1, 2]], pa.list_(pa.int64(), 2)),
    "a view of a list": pa.array([[1]], pa.list_view(pa.int64())),
    "a map with whole numbers for keys": pa.array([[(1, 2)]], pa.map_(pa.int64(), pa.int64())),
    "a struct of a duration": pa.array([{"a": timedelta(1), "b": [{"c": timedelta(2)}]}]),
    "a list of durations": pa.array([[timedelta(1)]]),
    "a map of durations": pa.array([[("a", timedelta(1))]], pa.map_(pa.string(), pa.duration("us"))),
    "a decimal": pa.array([decimal.Decimal("1.5")], pa.decimal256(50, 2)),
    "no value": pa.array([None], pa.null()),
    "an instant before all calendars": pa.array([-(2**62)], pa.timestamp("us")),
    "a dictionary of raw bytes": pa.array([b"\xff"]).dictionary_encode(),
}


@pytest.mark.parametrize("kind", ODD)
@pytest.mark.parametrize("name", ["page_load", "EventType", "props.x", "event-type", "Props", ""])
def test_a_column_of_any_type_that_is_no_field_is_not_read(kind, name):
    table = pa.table({"eventType": ["asset_viewed"], name: ODD[kind], "props": [{"a": 1}]})
    assert lines_of(table) == [b'{"eventType":"asset_viewed","props":{"a":1}}']


def test_damage_in_a_column_that_is_no_field_does_not_stop_a_file():
    table = pa.table({"eventType": ["a"] * 9, "noise": [f"noise {n}" for n in range(9)]})
    content = stored(table, use_dictionary=False, compression="none", write_page_checksum=True, write_statistics=False)
    spoilt = io.BytesIO(content.replace(b"noise 4", b"n@ise 4"))
    assert spoilt.getvalue() != content
    assert sum(map(len, rows_as_lines(spoilt))) == 9


def test_consent_is_read_wherever_it_stands(validator):
    for name in ("doNotTrack", "do_not_track"):
        [line] = lines_of(pa.table({"eventType": ["asset_viewed"], "occurredAt": [NOON], name: [True]}))
        assert isinstance(validator.validate(line), NotTracked)


@pytest.mark.parametrize(
    ("column", "reason"),
    [
        ({"props": pa.array([{"wait": timedelta(1), "a": 1}])}, "props.wait: of the Parquet type duration[us]"),
        ({"props": pa.array([{"x": [{"wait": timedelta(1)}]}])}, "props.x.wait: of the Parquet type duration[us]"),
        ({"props": pa.array([[(1, 2)]], pa.map_(pa.int64(), pa.int64()))}, "props: a map whose keys are no texts"),
        ({"props": pa.array([[("a", timedelta(1)), ("a", timedelta(1))]], pa.map_(pa.string(), pa.duration("us")))},
         "props: of the Parquet type duration[us]"),
        ({"actorId": pa.array([timedelta(1)])}, "actorId: of the Parquet type duration[us]"),
    ],
)  # fmt: skip
def test_a_value_that_json_cannot_hold_rejects_its_row_and_no_other(validator, column, reason):
    good = {"eventType": pa.array(["asset_viewed"] * 2), "occurredAt": pa.array([NOON] * 2)}
    [(name, values)] = column.items()
    for consent in (None, True):
        table = pa.table(
            good
            | {name: pa.concat_arrays([values, pa.nulls(1, values.type)])}
            | {"context": pa.array([{"doNotTrack": consent}, {"doNotTrack": None}])}
        )
        bad, fine = lines_of(table)
        outcome = validator.reject_unparsed(bad)
        if consent:
            assert isinstance(outcome, NotTracked)
        else:
            assert isinstance(outcome, RejectedLine)
            assert [text for text in outcome.reasons if text.startswith(reason)]
        assert isinstance(validator.validate(fine), ValidEvent)


def test_times_of_day_and_lists_of_a_fixed_length_are_texts_and_lists():
    assert value_of(pa.array([time(12, 30)])) == "12:30:00.000000"
    assert value_of(pa.array([[1, 2]], pa.list_(pa.int64(), 2))) == [1, 2]
    assert value_of(pa.array([[1, 2]], pa.list_view(pa.int64()))) == [1, 2]


def test_lists_and_maps_of_rows_that_are_made_apart_are_whole():
    rows = 40
    long = "x" * 100_000
    props = [{"l": [f"{n}", long], "m": [{"n": n}] * (n % 3)} for n in range(rows)]
    maps = [[(f"k{n}", long), ("n", str(n))] for n in range(rows)]
    table = pa.table({"props": props, "attribution": pa.array(maps, pa.map_(pa.string(), pa.string()))})
    for options in ({}, {"use_dictionary": False}, {"row_group_size": 7}):
        found = [json.loads(line) for line in lines_of(table, **options)]
        assert found == [
            {"props": made, "attribution": dict(pairs)} for made, pairs in zip(props, maps, strict=True)
        ], options
