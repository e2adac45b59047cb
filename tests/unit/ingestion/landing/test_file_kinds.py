"""Damaged compressed files, files of other kinds, and limits of expansion."""

import bz2
import gzip
import io
import lzma
import re
import tarfile
import zipfile
from dataclasses import replace

import pytest
from backports import zstd

from ingestion.landing.files import LandingError
from ingestion.landing.limits import Limits
from ingestion.landing.reading import LineReader, read_lines
from tests.unit.ingestion.landing.test_reading import CHECKSUM, MIB, PACK, landed, lines_of


@pytest.mark.parametrize(
    "damage",
    [
        lambda whole: whole[:-1],
        lambda whole: whole[: len(whole) // 2],
        lambda whole: whole[:5],
        lambda whole: whole[:-4] + b"\0" * 4,
        lambda whole: whole[:200] + bytes(byte ^ 0xFF for byte in whole[200:260]) + whole[260:],
    ],
)
@pytest.mark.parametrize(("kind", "said"), [(".gz", "gzip"), (".zst", "zstd")])
def test_a_damaged_compressed_file_is_named_with_what_to_do(root, damage, kind, said):
    content = b"".join(b'{"n":%d}\n' % number for number in range(20_000))
    whole = gzip.compress(content) if said == "gzip" else zstd.compress(content, options=CHECKSUM)
    with pytest.raises(LandingError, match=rf"a\.ndjson\{kind} is a damaged or truncated {said} file .* written again"):
        lines_of(root, damage(whole), f"a.ndjson{kind}")


def packed(content: bytes, kind: str, *options: str) -> bytes:
    return zstd.compress(content) if kind == ".zst" else gzip.compress(content)


@pytest.mark.parametrize(("kind", "said"), [(".gz", "gzip"), (".zst", "zstd")])
def test_bytes_behind_compressed_content_are_named_in_the_error(root, kind, said):
    whole = packed(b"{}\n" * 9, kind)
    with pytest.raises(LandingError, match=rf"goes on with bytes that are no {said} behind a part that is whole"):
        lines_of(root, whole + b"garbage", f"a.ndjson{kind}")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"a":1}\n', "but plain text: rename it to a.ndjson$"),
        ("\ufeffü\n".encode() * 300, "but plain text: rename it to a.ndjson$"),
        (b"PK\x03\x04" + bytes(30), "but a ZIP archive .*: unpack it"),
        (b"PAR1" + bytes(30), "but a .parquet file: rename it to a.parquet$"),
        (bytes(range(256)), "is a damaged or truncated"),
    ],
)
@pytest.mark.parametrize("kind", [".gz", ".zst"])
def test_a_file_that_is_not_compressed_as_its_name_says_gets_its_real_kind_in_the_error(root, kind, content, said):
    with pytest.raises(LandingError, match=said):
        lines_of(root, content, f"a.ndjson{kind}")


def test_a_file_compressed_by_the_other_program_is_to_be_renamed(root):
    with pytest.raises(LandingError, match=r"no gzip file but a \.zst file: rename it to a\.ndjson\.zst$"):
        lines_of(root, zstd.compress(b"{}"), "a.ndjson.gz")
    with pytest.raises(LandingError, match=r"no zstd file but a \.gz file: rename it to a\.ndjson\.gz$"):
        lines_of(root, gzip.compress(b"{}"), "a.ndjson.zst")


def wide(content: bytes) -> bytes:
    compressor = zstd.ZstdCompressor(options={zstd.CompressionParameter.window_log: 30})
    return compressor.compress(content) + compressor.flush()


def test_a_zstd_window_beyond_the_limit_is_an_error_until_the_limit_is_raised(root):
    file = landed(root, wide(b"{}\n"), "a.ndjson.zst")
    with pytest.raises(LandingError, match=r"window of more than 128 MiB.* raise WAREHOUSE_ZSTD_WINDOW_MB"):
        list(read_lines(file))
    raised = replace(file, limits=Limits(zstd_window_mb=1_024))
    assert list(read_lines(raised)) == [(1, 1, b"{}")]


def test_a_file_that_needs_a_zstd_dictionary_is_an_error(root):
    dictionary = zstd.train_dict([b'{"a":%d,"event":"x"}' % n for n in range(2_000)], 1_000)
    with pytest.raises(LandingError, match="compressed with a zstd dictionary, which is not supported"):
        lines_of(root, zstd.compress(b'{"a":5,"event":"x"}', zstd_dict=dictionary), "a.ndjson.zst")


def zipped(content: bytes) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as writing:
        writing.writestr("a.ndjson", content)
    return archive.getvalue()


def tarred(content: bytes) -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as writing:
        entry = tarfile.TarInfo("a.ndjson")
        entry.size = len(content)
        writing.addfile(entry, io.BytesIO(content))
    return archive.getvalue()


FOREIGN = {
    "a ZIP archive": zipped, "an empty ZIP archive": lambda _: b"PK\x05\x06" + bytes(18), "a tar archive": tarred,
    "compressed by bzip2": bz2.compress, "compressed by xz": lzma.compress,
    "an empty file compressed by bzip2": lambda _: bz2.compress(b""),
    "a 7z archive": lambda _: b"7z\xbc\xaf\x27\x1c" + bytes(30),
    "compressed by LZ4": lambda _: b"\x04\x22\x4d\x18" + bytes(9),
    "an Avro file": lambda _: b"Obj\x01" + bytes(30), "an encrypted Parquet file": lambda _: b"PARE" + bytes(30),
}  # fmt: skip


@pytest.mark.parametrize("kind", FOREIGN)
@pytest.mark.parametrize("name", ["a.ndjson", "a.json", "a.ndjson.gz", "a.ndjson.zst"])
def test_archives_and_other_kinds_of_file_are_named_in_the_error(root, kind, name):
    content = FOREIGN[kind](b'{"eventType":"asset_viewed"}\n')
    # As such and, under a name that says so, inside of what is compressed.
    for stored in {content, packed(content, name[name.rindex(".") :]) if name.endswith(("gz", "zst")) else content}:
        with pytest.raises(LandingError, match=rf"a\.\S+ is .*{kind}.*: \w.*; nothing of its landing day was loaded"):
            lines_of(root, stored, name)


def test_a_line_that_has_the_word_of_an_archive_at_its_place_is_a_line(root):
    line = b'{"a":"' + b"x" * 251 + b'ustar"}'
    assert line.index(b"ustar") == 257
    assert lines_of(root, line) == [(1, 1, line)]
    assert lines_of(root, b"BZh it is no bzip2", "b.ndjson") == [(1, 1, b"BZh it is no bzip2")]


def test_a_file_that_is_compressed_twice_is_an_error(root):
    with pytest.raises(LandingError, match=r"a gzip file that holds a \.gz file: unpack it once"):
        lines_of(root, gzip.compress(gzip.compress(b"{}\n")), "a.ndjson.gz")


@pytest.mark.parametrize("kind", [".gz", ".zst"])
def test_a_file_that_unpacks_to_more_than_is_plausible_is_an_error(root, kind, monkeypatch):
    monkeypatch.setattr("ingestion.landing.limits.ALWAYS_ALLOWED_BYTES", 4 * MIB)
    file = landed(root, packed(b"{}\n" * 3_000_000, kind), f"a.ndjson{kind}")
    with pytest.raises(LandingError, match=r"unpacks to more than 200 times its size.* raise WAREHOUSE_MAX_EXPANSION"):
        list(read_lines(file))
    for allowed in (100_000, 0):
        assert sum(1 for _ in read_lines(replace(file, limits=Limits(max_expansion=allowed)))) == 3_000_000
    # What is small is read, however well it is packed.
    assert len(lines_of(root, packed(b"{}\n" * 1_000_000, kind), f"b.ndjson{kind}")) == 1_000_000


def test_a_long_reading_tells_how_far_it_is(root, monkeypatch):
    monkeypatch.setattr("ingestion.landing.progress.PROGRESS_SECONDS", 0)
    file = landed(root, gzip.compress(b"\n" * 5_000_000), "a.ndjson.gz")
    messages: list[str] = []
    assert list(LineReader(file, on_progress=messages.append)) == []
    assert len(messages) >= 5
    assert re.search(r"^reading .*a\.ndjson\.gz: 0 of 0 MB, [1-5] MB of lines so far$", messages[-1])


@pytest.mark.parametrize("kind", [".gz", ".zst"])
def test_a_compressed_file_under_a_plain_name_is_named(root, kind):
    with pytest.raises(LandingError, match=rf"rename it to a\.ndjson\{kind}$"):
        lines_of(root, PACK[kind](b"one\n"))
