"""Lines of landing files in every format, and messages on damaged files."""

import gzip
import hashlib
import tracemalloc
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from backports import zstd

from ingestion.landing.files import LandingError, LandingFile, landing_files
from ingestion.landing.lines import EventArray, NumberedLine
from ingestion.landing.objects import Oversized
from ingestion.landing.reading import checksum, read_lines
from warehouse.window import Window

DAY = Window.day(date(2026, 10, 1))
MIB = 1_048_576
PACK: dict[str, Callable[[bytes], bytes]] = {"": bytes, ".gz": gzip.compress, ".zst": zstd.compress}
CHECKSUM = {zstd.CompressionParameter.checksum_flag: 1}
KINDS = pytest.mark.parametrize("kind", PACK)


def landed(root: Path, content: bytes, name: str = "a.ndjson") -> LandingFile:
    (root / "events" / "dt=2026-10-01" / name).write_bytes(content)
    [found] = [file for file in landing_files(root, DAY) if file.entry.own_name == name]
    return found


def lines_of(root: Path, content: bytes, name: str = "a.ndjson") -> list[NumberedLine]:
    return list(read_lines(landed(root, content, name)))


def test_lines_are_numbered_and_blank_ones_are_only_counted(root):
    assert lines_of(root, b"one\n\n \t\r\ntwo\r\nthree") == [(1, 1, b"one"), (4, 1, b"two"), (5, 1, b"three")]
    assert lines_of(root, b"one\ntwo\n") == [(1, 1, b"one"), (2, 1, b"two")]
    assert lines_of(root, b"one\r\ntwo\r") == [(1, 1, b"one"), (2, 1, b"two")]


@KINDS
@pytest.mark.parametrize("content", [b"", b"\n", b"\r\n\r\n", b"\xef\xbb\xbf", b" "])
def test_an_empty_file_has_no_lines(root, content, kind):
    assert lines_of(root, PACK[kind](content), f"a.ndjson{kind}") == []


@pytest.mark.parametrize("name", ["a.ndjson.gz", "a.ndjson.zst", "a.parquet"])
def test_a_file_of_no_bytes_is_empty_in_every_format(root, name):
    file = landed(root, b"", name)
    assert list(read_lines(file, checksum(file))) == []


def test_a_byte_order_mark_is_skipped_at_the_start_of_the_file_only(root):
    content = b"\xef\xbb\xbfone\n\xef\xbb\xbftwo"
    for kind, pack in PACK.items():
        assert lines_of(root, pack(content), f"a.ndjson{kind}") == [(1, 1, b"one"), (2, 1, b"\xef\xbb\xbftwo")]


def test_a_utf_16_file_has_lines_to_be_rejected(root):
    assert [number for number, _, _ in lines_of(root, '{"a":1}\n{"a":2}\n'.encode("utf-16"))] == [1, 2, 3]


@pytest.mark.parametrize("kind", [".gz", ".zst"])
def test_compressed_files_of_several_parts_are_read_whole(root, kind):
    pack = PACK[kind]
    assert lines_of(root, pack(b"one\ntw") + pack(b"o\n"), f"a.ndjson{kind}") == [(1, 1, b"one"), (2, 1, b"two")]


@pytest.mark.parametrize("size", [262_143, 262_144, 262_145, 524_288, MIB - 1, MIB])
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b""])
def test_lines_that_span_chunks_are_whole(root, size, end):
    first = b"x" * size
    assert lines_of(root, first + end) == [(1, 1, first)]
    if end:
        assert lines_of(root, b"a\n" + first + end + b"b" + end) == [(1, 1, b"a"), (2, 1, first), (3, 1, b"b")]


@pytest.mark.parametrize("size", [MIB + 1, MIB + 2, MIB + 262_143, 2 * MIB, 2 * MIB + 1])
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b""])
def test_a_line_over_1_mib_is_given_by_its_head_and_length(root, size, end):
    oversized = Oversized(b"x" * 4096, size)
    assert lines_of(root, b"x" * size + end) == [(1, 1, oversized)]
    if end:
        assert lines_of(root, b"a\n" + b"x" * size + end + b"b") == [(1, 1, b"a"), (2, 1, oversized), (3, 1, b"b")]


@KINDS
def test_a_line_of_50_mb_is_not_held_in_memory(root, kind):
    content = b"one\n" + b"x" * 50_000_000 + b"\ntwo\n"
    file = landed(root, PACK[kind](content), f"a.ndjson{kind}")
    del content
    tracemalloc.start()
    lines = list(read_lines(file))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert lines == [(1, 1, b"one"), (2, 1, Oversized(b"x" * 4096, 50_000_000)), (3, 1, b"two")]
    assert peak < 6 * MIB


@KINDS
def test_the_checksum_is_of_the_stored_bytes(root, kind):
    content = PACK[kind](b"one\n")
    file = landed(root, content, f"a.ndjson{kind}")
    assert checksum(file) == hashlib.sha256(content).hexdigest()
    assert list(read_lines(file, checksum(file))) == [(1, 1, b"one")]


@KINDS
def test_a_file_that_changes_under_its_reader_is_noticed(root, kind):
    pack, name = PACK[kind], f"a.ndjson{kind}"
    file = landed(root, pack(b"one\n"), name)
    before = checksum(file)
    landed(root, pack(b"one\ntwo\n"), name)
    with pytest.raises(LandingError, match="changed while it was read"):
        list(read_lines(file, before))


def test_a_file_that_is_gone_is_named(root):
    file = landed(root, b"one\n")
    (root / file.name).unlink()
    with pytest.raises(LandingError, match=r"a\.ndjson cannot be read"):
        list(read_lines(file))
    with pytest.raises(LandingError, match=r"a\.ndjson cannot be read"):
        checksum(file)


@pytest.mark.parametrize(
    "content",
    [
        b'[\n  {"a": 1},\n  {"a": 2}\n]\n',
        b'\n [{"a": 1},\n{"a": 2}]',
        b'[\n{"a": 1}\n,{"a": 2}\n]',
        b'[\n{"a": 1}\n]',
        b"[\n" + b'  {"a": 1},\n' * 100_000,
    ],
)
@pytest.mark.parametrize("name", ["a.json", "a.ndjson"])
def test_an_array_over_many_lines_is_rejected_once(root, content, name):
    number = 2 if content.startswith(b"\n") else 1
    assert lines_of(root, content, name) == [(number, 1, EventArray(content[:4096], len(content)))]


def test_an_array_on_one_long_line_is_that_line(root):
    array = b"[" + b",".join([b'{"a": 1}'] * 200_000) + b"]"
    assert lines_of(root, array + b"\n{}\n", "a.json") == [(1, 1, EventArray(array[:4096], len(array))), (2, 1, b"{}")]


@pytest.mark.parametrize("first", [b"[{}]", b"[", b"[1, 2", b"[garbage"])
def test_lines_after_a_first_one_that_is_an_array_or_broken_are_lines(root, first):
    assert lines_of(root, first + b"\n{}\n{}\n") == [(1, 1, first), (2, 1, b"{}"), (3, 1, b"{}")]


def test_json_files_hold_lines(root):
    assert lines_of(root, gzip.compress(b"{}\n{}\n"), "a.json.gz") == [(1, 1, b"{}"), (2, 1, b"{}")]
