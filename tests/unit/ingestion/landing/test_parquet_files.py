"""Damaged, unsupported and very large Parquet files."""

import io
import json
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ingestion.landing.files import LandingError
from ingestion.landing.objects import Oversized
from ingestion.landing.reading import checksum, read_lines
from ingestion.validation.validator import NotTracked
from tests.unit.ingestion.landing.test_parquet import MIB, NOON, landed, lines_of, stored


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
    whole = stored(pa.table({"actorId": [str(n) for n in range(5_000)]}), write_page_checksum=True)
    file = landed(tmp_path, damage(whole))
    with pytest.raises(LandingError, match=r"a\.parquet is no Parquet file that can be read, .* written again, whole"):
        list(read_lines(file, checksum(file)))


def problem_of(content: bytes) -> str:
    try:
        pq.read_table(io.BytesIO(content))
    except (pa.ArrowException, OSError) as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        ("codec", r"uses what is not supported \(.*LZO.*\): write it with another compression"),
        ("encrypted", r"is encrypted, which is not supported"),
        ("bomb", r"unpacks to more than 200 times its size .* raise WAREHOUSE_MAX_EXPANSION"),
    ],
)
def test_unsupported_features_are_named_in_the_error(tmp_path, spoil, said, monkeypatch):
    monkeypatch.setattr("ingestion.landing.limits.ALWAYS_ALLOWED_BYTES", 1_000_000)
    whole = stored(pa.table({"eventType": ["x" * 50_000 + str(n) for n in range(100 if spoil == "bomb" else 1)]}),
                   compression="zstd", use_dictionary=False, store_schema=False)  # fmt: skip
    if spoil == "encrypted":
        whole = b"PARE" + whole[4:-4] + b"PARE"
    if spoil == "codec":
        footer = len(whole) - 8 - int.from_bytes(whole[-8:-4], "little")
        # The codec of the only column: 6, zstd, is 12 in the encoding of the footer; 3, LZO, is 6.
        places = [n for n in range(footer, len(whole)) if whole[n - 1 : n + 1] == b"\x15\x0c"]
        [whole] = [
            spoilt for spoilt in (whole[:n] + b"\x06" + whole[n + 1 :] for n in places) if "LZO" in problem_of(spoilt)
        ]
    with pytest.raises(LandingError, match=rf"a\.parquet {said}.*; nothing of its landing day"):
        list(read_lines(landed(tmp_path, whole)))


def test_a_file_that_changes_under_its_reader_is_noticed(tmp_path):
    file = landed(tmp_path, stored(pa.table({"actorId": [1]})))
    before = checksum(file)
    for content in (stored(pa.table({"actorId": [2]})), b"PAR1 is how it begins"):
        file = landed(tmp_path, content)
        with pytest.raises(LandingError, match="changed while it was read"):
            list(read_lines(file, before))


def test_a_parquet_file_under_another_name_is_named(tmp_path):
    file = landed(tmp_path, stored(pa.table({"actorId": [1]})), "a.ndjson")
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


SCRIPT = """
import resource, sys
from datetime import date
from pathlib import Path
import numpy, pyarrow, pyarrow.parquet, pyarrow.compute
from ingestion.landing.files import landing_files
from ingestion.landing.objects import Oversized
from ingestion.landing.reading import read_lines
from warehouse.window import Window

[file] = landing_files(Path(sys.argv[1]), Window.day(date(2026, 10, 3)))
before = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
limit = before + 400 * 1024**2
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
long = sum(isinstance(line, Oversized) for _, _, line in read_lines(file))
print(long)
"""


def repeated(text: str, times: int) -> pa.Array:
    """Many times one text, which is held once."""
    return pa.DictionaryArray.from_arrays(pa.array([0] * times, pa.int32()), pa.array([text]))


def every(width: int, rows: int) -> pa.Array:
    return pa.array(range(0, rows * width + 1, width), pa.int32())


LONG = {
    # 5.6 MB in every one of 600 rows, once in a dictionary.
    "one text in a dictionary": lambda: pa.table({"actorId": repeated("x" * 5_600_000, 600)}),
    "texts in a list": lambda: pa.table({
        "props": pa.StructArray.from_arrays(
            [pa.ListArray.from_arrays(every(7, 600), repeated("x" * 800_000, 4_200))], ["a"]
        )
    }),
    "texts in a map": lambda: pa.table({
        "props": pa.MapArray.from_arrays(
            every(1, 600), repeated("k", 600).dictionary_decode(), repeated("x" * 5_600_000, 600)
        )
    }),
    # Few bytes for millions of elements.
    "numbers in a list": lambda: pa.table({
        "props": pa.StructArray.from_arrays(
            [pa.ListArray.from_arrays(every(1_000_000, 25), pa.nulls(25_000_000, pa.int8()).fill_null(7))], ["a"]
        )
    }),
}  # fmt: skip


@pytest.mark.parametrize("kind", LONG)
def test_rows_that_are_too_long_are_rejected_before_they_are_built(tmp_path, kind):
    made = LONG[kind]()
    file = landed(tmp_path, stored(made, compression="zstd"))
    assert file.size < 100_000
    rows = made.num_rows
    del made
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path)],
        capture_output=True, text=True, check=False, cwd=Path(__file__).parents[4],
    )  # fmt: skip
    assert (done.stderr, done.stdout) == ("", f"{rows}\n")


def test_long_texts_outside_of_a_dictionary_are_read_few_at_a_time(tmp_path):
    made = pa.table({"actorId": pa.array(["x" * 1_100_000] * 200, pa.large_string())})
    landed(tmp_path, stored(made, compression="zstd", use_dictionary=False, write_batch_size=4))
    del made
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path)],
        capture_output=True, text=True, check=False, cwd=Path(__file__).parents[4],
    )  # fmt: skip
    assert (done.stderr, done.stdout) == ("", "200\n")


def test_the_row_that_is_too_long_is_known_by_its_short_columns_and_by_its_length(validator):
    table = pa.table({
        "props": [{"x": "y" * MIB}], "eventType": ["asset_viewed"], "occurredAt": [NOON], "actorId": ["u"],
        "context": [{"os": "Linux"}],
    })  # fmt: skip
    [line] = lines_of(table)
    assert isinstance(line, Oversized)
    assert MIB < line.line_bytes < MIB + 1_000
    assert json.loads(line.head) == {
        "context": {"os": "Linux"}, "eventType": "asset_viewed", "occurredAt": "2026-10-03T12:00:00.123000+00:00",
        "actorId": "u",
    }  # fmt: skip
    rejected_table = table.set_column(4, "context", pa.array([{"doNotTrack": True}]))
    assert isinstance(validator.reject_unparsed(*lines_of(rejected_table)), NotTracked)
