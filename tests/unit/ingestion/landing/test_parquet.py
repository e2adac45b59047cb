"""Rows of Parquet files as the lines that a tracker would have sent."""

import decimal
import io
import json
import tracemalloc
import uuid
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ingestion.landing.files import LandingError, LandingFile, landing_files
from ingestion.landing.parquet import rows_as_lines
from ingestion.landing.reading import checksum, read_lines
from ingestion.validation.notes import Note
from ingestion.validation.stored import Accepted
from ingestion.validation.validator import LineValidator, Rejected
from ingestion.window import Window

DAY = date(2026, 10, 3)
MIB = 1_048_576
NOON = datetime(2026, 10, 3, 12, 0, 0, 123_000, tzinfo=UTC)


def lines_of(table: pa.Table, **options: Any) -> list[bytes]:
    stored = io.BytesIO()
    pq.write_table(table, stored, **options)
    stored.seek(0)
    return list(rows_as_lines(stored))


def value_of(column: Any) -> Any:
    """What a value becomes in a column called x; ... when it becomes absent."""
    [line] = lines_of(pa.table({"x": column}))
    return json.loads(line).get("x", ...)


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


@pytest.fixture
def validator() -> LineValidator:
    return LineValidator(landing_date=DAY, start_date=date(2026, 10, 1))


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
def test_a_row_that_breaks_a_rule_is_refused_with_the_reason_its_line_would_have(validator, columns, reason):
    good = {"eventType": pa.array(["asset_viewed"]), "occurredAt": pa.array([NOON])}
    [line] = lines_of(pa.table(good | columns))
    outcome = validator.validate(line)
    assert isinstance(outcome, Rejected)
    assert reason in outcome.reasons


@pytest.mark.parametrize("text", ['{"a":', "{}, 'source': 'api'", "5", "[]"])
def test_props_that_are_no_object_are_dropped_as_in_a_line(validator, text):
    table = pa.table({"eventType": ["asset_viewed"], "occurredAt": [NOON], "props": [text]})
    outcome = validator.validate(*lines_of(table))
    assert isinstance(outcome, Accepted)
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
    assert isinstance(camel, Accepted)
    assert camel == snake


def test_rows_are_numbered_and_none_is_skipped(tmp_path):
    table = pa.table({"n": pa.array([None if n % 3 == 0 else n for n in range(2_000)], pa.int64())})
    file = landed(tmp_path, stored(table, row_group_size=700))
    lines = list(read_lines(file, checksum(file)))
    assert [number for number, _, _ in lines] == list(range(1, 2_001))
    assert lines[0][2] == b"{}"
    assert lines[1_999] == (2_000, 1, b'{"n":1999}')


@pytest.mark.parametrize("codec", ["snappy", "gzip", "zstd", "lz4", "brotli", "none"])
def test_every_usual_compression_inside_is_read(codec):
    assert lines_of(pa.table({"a": [1]}), compression=codec) == [b'{"a":1}']


@pytest.mark.parametrize("table", [pa.table({}), pa.table({"a": pa.array([], pa.int64())})])
def test_a_table_without_rows_has_no_lines(table):
    assert lines_of(table) == []


@pytest.mark.parametrize(
    "damage",
    [
        lambda whole: whole[:-1],
        lambda whole: whole[: len(whole) // 2],
        lambda whole: whole[:5],
        lambda whole: b"PAR1" + b"\xff" * 200 + whole[204:],
        lambda whole: whole[:-60] + b"\xff" * 50 + whole[-10:],
        lambda _: b'{"eventType": "asset_viewed"}\n',
    ],
)
def test_a_damaged_file_is_named_with_what_to_do(tmp_path, damage):
    whole = stored(pa.table({"n": [str(n) for n in range(5_000)]}), write_page_checksum=True)
    file = landed(tmp_path, damage(whole))
    with pytest.raises(LandingError, match=r"a\.parquet is no Parquet file that can be read, .* written again, whole"):
        list(read_lines(file, checksum(file)))


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (pa.Table.from_arrays([pa.array([1]), pa.array([2])], ["a", "a"]), "two columns have the name a"),
        (pa.table({"a": pa.array([timedelta(1)])}), "column a is of type duration"),
        (pa.table({"a": pa.array([[(1, 2)]], pa.map_(pa.int64(), pa.int64()))}), "column a is a map whose keys"),
    ],
)
def test_a_table_that_no_events_can_be_made_of_is_refused_whole(tmp_path, table, said):
    with pytest.raises(LandingError, match=said):
        list(read_lines(landed(tmp_path, stored(table))))


def test_a_file_that_changes_under_its_reader_is_noticed(tmp_path):
    file = landed(tmp_path, stored(pa.table({"a": [1]})))
    before = checksum(file)
    for content in (stored(pa.table({"a": [2]})), b"PAR1 is how it begins"):
        file = landed(tmp_path, content)
        with pytest.raises(LandingError, match="changed while it was read"):
            list(read_lines(file, before))


def test_a_parquet_file_under_another_name_is_named(tmp_path):
    file = landed(tmp_path, stored(pa.table({"a": [1]})), "a.ndjson")
    with pytest.raises(LandingError, match=r"rename it to a\.parquet"):
        list(read_lines(file))


def test_a_row_group_is_not_held_in_memory(tmp_path):
    rows = 100_000
    props = [f'{{"title": "{"x" * 300} {n}"}}' for n in range(rows)]
    file = landed(tmp_path, stored(pa.table({"props": props}), row_group_size=rows, use_dictionary=False))
    del props
    pool = pa.default_memory_pool()
    before, most = pool.bytes_allocated(), 0
    tracemalloc.start()
    for _ in read_lines(file):
        most = max(most, pool.bytes_allocated() - before)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert file.size > 1 * MIB
    assert most + peak < 12 * MIB
