"""Listing of landing files."""

import os
from datetime import date
from pathlib import Path

import pytest

from ingestion.landing.files import LandingError, LandingRoot, landing_files, scan_landing_day
from ingestion.landing.reading import checksum, read_lines
from warehouse.window import Window

WINDOW = Window(date(2026, 10, 1), date(2026, 10, 3))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "events" / "dt=2026-10-01").mkdir(parents=True)
    return tmp_path


def landed(root: Path, content: bytes, name: str) -> None:
    (root / "events" / "dt=2026-10-01" / name).write_bytes(content)


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
    assert files[0].location == str(root / "events" / "dt=2026-10-01" / "a.ndjson")


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


@pytest.mark.parametrize("name", ["a.jsonl", "a.ndjson.bz2", "a.gz", "a.parquet.gz", "a.ndjson.bak", "README"])
def test_a_file_of_another_kind_is_named(root, name):
    landed(root, b"", name)
    with pytest.raises(LandingError, match=f"/{name} is no landing file"):
        landing_files(root, WINDOW)


def test_a_folder_inside_a_day_is_named(root):
    (root / "events" / "dt=2026-10-01" / "hour.ndjson").mkdir()
    with pytest.raises(LandingError, match=r"hour\.ndjson is a folder: move it"):
        landing_files(root, WINDOW)


@pytest.mark.parametrize("name", ["a\nb.ndjson", os.fsdecode(b"a\xff.ndjson")])
def test_a_name_that_cannot_be_an_identity_is_an_error(root, name):
    landed(root, b"", name)
    with pytest.raises(LandingError, match="rename it"):
        landing_files(root, WINDOW)


def seen(place, window):
    """The files that a look finds, which complains of nothing."""
    return [file for day in window.days() for file in scan_landing_day(place, day)[0]]


def test_a_missing_root_says_what_to_set(tmp_path):
    with pytest.raises(LandingError, match=r"nowhere/events cannot be listed .* set LANDING_URL"):
        landing_files(tmp_path / "nowhere", WINDOW)


def test_the_suffixes_of_files_that_are_being_written_can_be_chosen(root):
    for name in ("a.ndjson", "b.ndjson.writing", "c.open.ndjson", "d.ndjson.tmp"):
        landed(root, b"", name)
    place = LandingRoot.from_url(root, (".writing", ".open.ndjson", ".tmp"))
    assert [file.entry.own_name for file in landing_files(place, WINDOW)] == ["a.ndjson"]
    assert [file.entry.own_name for file in seen(place, WINDOW)] == ["a.ndjson"]


def test_scanned_files_are_those_of_the_given_days_and_no_others(root):
    for name in ("a.ndjson", "b.parquet", "c.ndjson.tmp", "README", ".d.ndjson"):
        landed(root, b"", name)
    for folder in ("dt=2026-09-30", "no day"):
        (root / "events" / folder).mkdir()
        (root / "events" / folder / "x.ndjson").touch()
    place = LandingRoot.from_url(root)
    assert [file.entry.own_name for file in seen(place, WINDOW)] == ["a.ndjson", "b.parquet"]
    assert seen(LandingRoot.from_url(root / "nowhere"), WINDOW) == []


@pytest.mark.parametrize("url", ["{root}", "file://{root}", "file://localhost{root}"])
def test_a_folder_is_given_by_its_path_or_by_a_file_url(root, url):
    landed(root, b"", "a.ndjson")
    [found] = landing_files(LandingRoot.from_url(url.format(root=root)), WINDOW)
    assert found.location == str(root / "events" / "dt=2026-10-01" / "a.ndjson")


def test_a_file_url_may_have_escapes(tmp_path):
    (tmp_path / "a b" / "events").mkdir(parents=True)
    assert landing_files(LandingRoot.from_url(f"file://{tmp_path}/a%20b"), WINDOW) == []


@pytest.mark.parametrize("url", ["ftp://host/x", "https://host/x", "file://host/x", "s3:///x", "landing://x"])
def test_a_place_that_no_files_can_be_at_is_named_with_those_that_can(url):
    with pytest.raises(LandingError, match=rf"LANDING_URL is {url}: .*s3://bucket/prefix"):
        LandingRoot.from_url(url)


def test_a_file_that_was_rewritten_has_another_version(root):
    landed(root, b"one", "a.ndjson")
    [before] = landing_files(root, WINDOW)
    assert landing_files(root, WINDOW) == [before]
    path = root / before.name
    times = path.stat().st_atime_ns, path.stat().st_mtime_ns
    landed(root, b"two", "b.tmp")
    os.utime(root / "events/dt=2026-10-01/b.tmp", ns=times)
    (root / "events/dt=2026-10-01/b.tmp").replace(path)
    [after] = landing_files(root, WINDOW)
    assert (after.name, after.size) == (before.name, before.size)
    assert after.entry.version != before.entry.version


@pytest.mark.parametrize("folder", ["dt="])
def test_a_day_folder_with_an_empty_name_is_named_in_the_error(root, folder):
    (root / "events" / folder).mkdir()
    with pytest.raises(LandingError, match=rf"/{folder} has no date in its name.* rename it to dt=YYYY-MM-DD"):
        landing_files(root, WINDOW)


@pytest.mark.parametrize("name", [".ndjson", ".ndjson.gz", ".json.zst", ".parquet"])
def test_a_file_with_an_empty_name_is_not_taken_for_a_hidden_one(root, name):
    landed(root, b"{}", name)
    with pytest.raises(LandingError, match=rf"{name} has an empty name before its ending: rename it.* part-0{name}$"):
        landing_files(root, WINDOW)


@pytest.fixture
def outside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("outside")
    (folder / "a.ndjson").write_bytes(b'{"secret":1}')
    return folder


def linked(root: Path, outside: Path, what: str) -> None:
    """Put a link into the landing folder that leads out of it."""
    link = root / {"file": "events/dt=2026-10-01/a.ndjson", "day": "events/dt=2026-10-02", "events": "events"}[what]
    if what == "events":
        (root / "events").rename(root / "moved")
    link.symlink_to(outside / "a.ndjson" if what == "file" else root / "moved" if what == "events" else outside)


@pytest.mark.parametrize("what", ["file", "day", "events"])
def test_a_link_in_the_landing_folder_is_not_followed_and_the_error_names_the_setting(root, outside, what):
    linked(root, outside, what)
    with pytest.raises(LandingError, match=r"symbolic link, which is not followed.* WAREHOUSE_FOLLOW_SYMLINKS=true"):
        landing_files(root, WINDOW)
    # Whoever asks for a run looks past it; the run complains.
    assert seen(LandingRoot.from_url(root), WINDOW) == []


@pytest.mark.parametrize("what", ["file", "day", "events"])
def test_links_are_followed_where_the_setting_says_so(root, outside, what):
    linked(root, outside, what)
    place = LandingRoot.from_url(root, follows_links=True)
    found = landing_files(place, WINDOW)
    assert found == seen(place, WINDOW)
    assert [b"".join(line for _, _, line in read_lines(file)) for file in found] == (
        [] if what == "events" else [b'{"secret":1}']
    )


@pytest.mark.parametrize("what", ["file", "day"])
def test_a_file_that_becomes_a_link_after_it_was_found_is_not_read(root, outside, what):
    landed(root, b"{}", "a.ndjson")
    [file] = landing_files(root, WINDOW)
    day = root / "events" / "dt=2026-10-01"
    day.rename(root / "moved")
    if what == "day":
        day.symlink_to(outside)
    else:
        day.mkdir()
        (day / "a.ndjson").symlink_to(outside / "a.ndjson")
    for read in (checksum, lambda file: list(read_lines(file))):
        with pytest.raises(LandingError, match=r"a\.ndjson cannot be read \(it is a symbolic link.*FOLLOW_SYMLINKS"):
            read(file)


def test_the_landing_folder_itself_may_be_a_link(root, tmp_path_factory):
    landed(root, b"{}", "a.ndjson")
    link = tmp_path_factory.mktemp("links") / "landing"
    link.symlink_to(root)
    [file] = landing_files(link, WINDOW)
    assert list(read_lines(file)) == [(1, 1, b"{}")]


def test_a_pipe_in_the_place_of_a_file_does_not_block(root):
    landed(root, b"{}", "a.ndjson")
    [file] = landing_files(root, WINDOW)
    path = root / file.name
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(LandingError):
        list(read_lines(file))
    with pytest.raises(LandingError, match="is a pipe, a device, or a file that this account may not look at: move it"):
        landing_files(root, WINDOW)
