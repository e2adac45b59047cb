"""Which files are landing files, and which lines they have."""

import gzip
import hashlib
import os
import tracemalloc
from datetime import date
from pathlib import Path

import pytest

from ingestion.landing import LandingError, LandingFile, Oversized, checksum, landing_files, read_lines
from ingestion.window import Window

WINDOW = Window(date(2026, 10, 1), date(2026, 10, 3))
MIB = 1_048_576


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "events" / "dt=2026-10-01").mkdir(parents=True)
    return tmp_path


def landed(root: Path, content: bytes, name: str = "a.ndjson") -> LandingFile:
    path = root / "events" / "dt=2026-10-01" / name
    path.write_bytes(content)
    return LandingFile(path, f"events/dt=2026-10-01/{name}", date(2026, 10, 1))


def lines_of(root: Path, content: bytes, name: str = "a.ndjson") -> list[tuple[int, bytes | Oversized]]:
    return list(read_lines(landed(root, content, name)))


def test_the_files_of_the_windows_days_are_found_in_the_order_of_their_names(root):
    for day in ("2026-09-30", "2026-10-02", "2026-10-03"):
        (root / "events" / f"dt={day}").mkdir()
    for name in (
        "2026-10-02/a.ndjson",
        "2026-10-01/b.ndjson.gz",
        "2026-10-01/a.ndjson",
        "2026-09-30/x.ndjson",
        "2026-10-03/x.ndjson",
    ):
        (root / "events" / f"dt={name}").touch()
    files = landing_files(root, WINDOW)
    assert [(file.name, file.landing_date) for file in files] == [
        ("events/dt=2026-10-01/a.ndjson", date(2026, 10, 1)),
        ("events/dt=2026-10-01/b.ndjson.gz", date(2026, 10, 1)),
        ("events/dt=2026-10-02/a.ndjson", date(2026, 10, 2)),
    ]
    assert files[0].path == root / "events" / "dt=2026-10-01" / "a.ndjson"


def test_a_day_without_a_folder_has_no_files(root):
    assert landing_files(root, Window.day(date(2026, 10, 2))) == []


def test_files_that_are_being_written_and_markers_are_left_alone(root):
    for name in ("a.ndjson.tmp", "a.ndjson.gz.part", "a.inprogress", ".a.ndjson", "_SUCCESS"):
        landed(root, b"x", name)
    (root / "events" / "_temporary").mkdir()
    assert landing_files(root, WINDOW) == []


@pytest.mark.parametrize("folder", ["dt=2026-13-45", "dt=20261001", "2026-10-01", "dt=2026-10-1", "dt=2026-10-01 "])
def test_a_folder_that_is_no_day_is_named(root, folder):
    (root / "events" / folder).mkdir()
    with pytest.raises(LandingError, match=rf"/{folder} is no landing day: name it dt=YYYY-MM-DD"):
        landing_files(root, WINDOW)


@pytest.mark.parametrize("name", ["a.json", "a.ndjson.zst", "a.gz", "a.ndjson.bak", "README"])
def test_a_file_of_another_kind_is_named(root, name):
    landed(root, b"", name)
    with pytest.raises(LandingError, match=f"/{name} is no landing file"):
        landing_files(root, WINDOW)


def test_a_folder_inside_a_day_is_named(root):
    (root / "events" / "dt=2026-10-01" / "hour.ndjson").mkdir()
    with pytest.raises(LandingError, match=r"hour\.ndjson is no landing file"):
        landing_files(root, WINDOW)


@pytest.mark.parametrize("name", ["a\nb.ndjson", os.fsdecode(b"a\xff.ndjson")])
def test_a_name_that_cannot_be_an_identity_is_refused(root, name):
    landed(root, b"", name)
    with pytest.raises(LandingError, match="rename it"):
        landing_files(root, WINDOW)


def test_a_missing_root_says_what_to_set(tmp_path):
    with pytest.raises(LandingError, match=r"nowhere/events cannot be listed .* set LANDING_URL"):
        landing_files(tmp_path / "nowhere", WINDOW)


def test_lines_are_numbered_and_blank_ones_are_only_counted(root):
    assert lines_of(root, b"one\n\n \t\r\ntwo\r\nthree") == [(1, b"one"), (4, b"two"), (5, b"three")]
    assert lines_of(root, b"one\ntwo\n") == [(1, b"one"), (2, b"two")]
    assert lines_of(root, b"one\r\ntwo\r") == [(1, b"one"), (2, b"two")]


@pytest.mark.parametrize("content", [b"", b"\n", b"\r\n\r\n", b"\xef\xbb\xbf", b" "])
def test_an_empty_file_has_no_lines(root, content):
    assert lines_of(root, content) == []
    assert lines_of(root, gzip.compress(content), "a.ndjson.gz") == []


def test_a_gzip_file_of_no_bytes_is_empty(root):
    assert lines_of(root, b"", "a.ndjson.gz") == []


def test_a_byte_order_mark_is_skipped_at_the_start_of_the_file_only(root):
    content = b"\xef\xbb\xbfone\n\xef\xbb\xbftwo"
    assert lines_of(root, content) == [(1, b"one"), (2, b"\xef\xbb\xbftwo")]
    assert lines_of(root, gzip.compress(content), "a.ndjson.gz") == [(1, b"one"), (2, b"\xef\xbb\xbftwo")]


def test_a_utf_16_file_has_lines_to_be_rejected(root):
    assert [number for number, _ in lines_of(root, '{"a":1}\n{"a":2}\n'.encode("utf-16"))] == [1, 2, 3]


def test_gzip_files_of_several_members_are_read_whole(root):
    assert lines_of(root, gzip.compress(b"one\ntw") + gzip.compress(b"o\n"), "a.ndjson.gz") == [
        (1, b"one"),
        (2, b"two"),
    ]


@pytest.mark.parametrize("size", [262_143, 262_144, 262_145, 524_288, MIB - 1, MIB])
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b""])
def test_lines_that_span_chunks_are_whole(root, size, end):
    first = b"x" * size
    assert lines_of(root, first + end) == [(1, first)]
    if end:
        assert lines_of(root, b"a\n" + first + end + b"b" + end) == [(1, b"a"), (2, first), (3, b"b")]


@pytest.mark.parametrize("size", [MIB + 1, MIB + 2, MIB + 262_143, 2 * MIB, 2 * MIB + 1])
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b""])
def test_a_line_over_1_mib_is_given_by_its_head_and_length(root, size, end):
    oversized = Oversized(b"x" * 4096, size)
    assert lines_of(root, b"x" * size + end) == [(1, oversized)]
    if end:
        assert lines_of(root, b"a\n" + b"x" * size + end + b"b") == [(1, b"a"), (2, oversized), (3, b"b")]


@pytest.mark.parametrize("name", ["a.ndjson", "a.ndjson.gz"])
def test_a_line_of_50_mb_is_not_held_in_memory(root, name):
    content = b"one\n" + b"x" * 50_000_000 + b"\ntwo\n"
    file = landed(root, gzip.compress(content, 1) if name.endswith(".gz") else content, name)
    del content
    tracemalloc.start()
    lines = list(read_lines(file))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert lines == [(1, b"one"), (2, Oversized(b"x" * 4096, 50_000_000)), (3, b"two")]
    assert peak < 6 * MIB


@pytest.mark.parametrize(
    "damage",
    [
        lambda whole: whole[:-1],
        lambda whole: whole[: len(whole) // 2],
        lambda whole: whole[:5],
        lambda whole: whole[:-8] + b"\0" * 8,
        lambda whole: whole + b"garbage",
        lambda whole: whole[:200] + bytes(byte ^ 0xFF for byte in whole[200:260]) + whole[260:],
        lambda _: b"not compressed at all\n",
    ],
)
def test_a_damaged_gzip_file_is_named_with_what_to_do(root, damage):
    whole = gzip.compress(b"".join(b'{"n":%d}\n' % number for number in range(20_000)))
    with pytest.raises(LandingError, match=r"a\.ndjson\.gz is a damaged or truncated gzip file .* written again"):
        lines_of(root, damage(whole), "a.ndjson.gz")


def test_a_gzip_file_under_a_plain_name_is_named(root):
    with pytest.raises(LandingError, match=r"rename it to a\.ndjson\.gz"):
        lines_of(root, gzip.compress(b"one\n"))


@pytest.mark.parametrize("name", ["a.ndjson", "a.ndjson.gz"])
def test_the_checksum_is_of_the_stored_bytes(root, name):
    content = gzip.compress(b"one\n") if name.endswith(".gz") else b"one\n"
    file = landed(root, content, name)
    assert checksum(file) == hashlib.sha256(content).hexdigest()
    assert list(read_lines(file, checksum(file))) == [(1, b"one")]


@pytest.mark.parametrize("name", ["a.ndjson", "a.ndjson.gz"])
def test_a_file_that_changes_under_its_reader_is_noticed(root, name):
    pack = gzip.compress if name.endswith(".gz") else bytes
    file = landed(root, pack(b"one\n"), name)
    before = checksum(file)
    landed(root, pack(b"one\ntwo\n"), name)
    with pytest.raises(LandingError, match="changed while it was read"):
        list(read_lines(file, before))


def test_a_file_that_is_gone_is_named(root):
    file = landed(root, b"one\n")
    file.path.unlink()
    with pytest.raises(LandingError, match=r"a\.ndjson cannot be read"):
        list(read_lines(file))
    with pytest.raises(LandingError, match=r"a\.ndjson cannot be read"):
        checksum(file)
