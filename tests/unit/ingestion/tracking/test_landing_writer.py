"""Landing files are whole or not there, nothing is lost while the disk works, and memory is bounded otherwise."""

import gzip
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ingestion.tracking import LandingWriter, Tracker
from warehouse import atomic_file

NOON = datetime(2026, 10, 5, 12, tzinfo=UTC)
LONG = 3_600.0

Write = Callable[..., LandingWriter]


@pytest.fixture
def writer_of(tmp_path: Path) -> Iterator[Write]:
    """Writers that are closed at the end, so that none writes at exit."""
    writers = []

    def make(**options: Any) -> LandingWriter:
        writers.append(LandingWriter(tmp_path, **{"producer": "test", "max_age_seconds": LONG, **options}))
        return writers[-1]

    yield make
    for writer in writers:
        writer.close()


def lines_of(root: Path) -> dict[str, list[bytes]]:
    """Return the lines of the landing files, by file."""
    return {
        path.relative_to(root).as_posix(): gzip.decompress(path.read_bytes()).splitlines()
        for path in sorted(root.glob("events/dt=*/*.ndjson.gz"))
    }


def all_lines(root: Path) -> list[bytes]:
    return [line for lines in lines_of(root).values() for line in lines]


def test_nothing_is_to_be_seen_before_a_file_is_complete(tmp_path: Path, writer_of: Write) -> None:
    writer = writer_of()
    writer.write(b"{}", NOON)
    assert lines_of(tmp_path) == {}
    writer.flush()
    assert all_lines(tmp_path) == [b"{}"]
    assert writer.written == 1


def test_flushing_when_nothing_waits_writes_no_file(tmp_path: Path, writer_of: Write) -> None:
    writer = writer_of()
    assert writer.flush()
    assert lines_of(tmp_path) == {}


def test_a_file_is_written_when_it_is_full_and_no_file_is_longer(tmp_path: Path, writer_of: Write) -> None:
    writer = writer_of(max_file_bytes=5_000, max_buffer_bytes=10_000)
    for number in range(40):
        writer.write(b"%03d" % number * 100, NOON)
    before = lines_of(tmp_path)
    writer.flush()
    assert len(before) > 1
    assert all(sum(map(len, lines)) <= 5_000 for lines in lines_of(tmp_path).values())
    assert all_lines(tmp_path) == [b"%03d" % number * 100 for number in range(40)]


def test_lines_land_on_the_day_on_which_they_arrived(tmp_path: Path, writer_of: Write) -> None:
    writer = writer_of()
    writer.write(b"1", NOON.replace(hour=23, minute=59))
    writer.write(b"2", NOON + timedelta(days=1))
    days = {name.split("/")[1]: lines for name, lines in lines_of(tmp_path).items()}
    assert days == {"dt=2026-10-05": [b"1"], "dt=2026-10-06": [b"2"]}


def test_what_has_waited_long_enough_is_written_without_another_event(tmp_path: Path, writer_of: Write) -> None:
    writer = writer_of(max_age_seconds=0.01)
    written = threading.Event()
    flush = writer.flush

    def flush_and_tell() -> bool:
        is_done = flush()
        written.set()
        return is_done

    writer.flush = flush_and_tell  # type: ignore[method-assign]
    writer.write(b"{}", NOON)
    assert written.wait(30)
    assert all_lines(tmp_path) == [b"{}"]


def test_closing_writes_what_waits_and_takes_no_more(tmp_path: Path, writer_of: Write) -> None:
    writer = writer_of()
    writer.write(b"{}", NOON)
    writer.close()
    assert not writer.write(b"{}", NOON)
    assert all_lines(tmp_path) == [b"{}"]


def test_two_writers_of_one_producer_share_a_day(tmp_path: Path, writer_of: Write) -> None:
    for writer in (writer_of(), writer_of()):
        writer.write(b"{}", NOON)
        writer.close()
    assert len(lines_of(tmp_path)) == 2


def test_threads_lose_nothing_and_double_nothing(tmp_path: Path, writer_of: Write) -> None:
    writer = writer_of(max_file_bytes=3_000)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: writer.write(b"%d" % number, NOON), range(2_000)))
    writer.close()
    assert sorted(all_lines(tmp_path), key=int) == [b"%d" % number for number in range(2_000)]
    assert (writer.written, writer.dropped) == (2_000, 0)


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """Return a switch for a disk that accepts bytes and fails to keep them."""
    is_full = False
    fsync = os.fsync

    def fail(descriptor: int) -> None:
        if is_full:
            raise OSError(28, "No space left on device")
        fsync(descriptor)

    monkeypatch.setattr(atomic_file.os, "fsync", fail)

    def switch(full: bool) -> None:
        nonlocal is_full
        is_full = full

    return switch


def test_lines_wait_while_the_disk_refuses_and_follow_in_order(
    tmp_path: Path, writer_of: Write, full_disk: Callable[[bool], None], caplog: pytest.LogCaptureFixture
) -> None:
    writer = writer_of(retry_seconds=LONG)
    full_disk(True)
    for number in range(3):
        writer.write(b"%d" % number, NOON)
        assert not writer.flush()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    assert len(caplog.messages) == 1
    full_disk(False)
    writer.write(b"3", NOON)
    assert writer.flush()
    assert all_lines(tmp_path) == [b"0", b"1", b"2", b"3"]
    assert (writer.written, writer.dropped) == (4, 0)


def test_a_buffer_that_overflows_drops_the_oldest_and_counts_them(
    tmp_path: Path, writer_of: Write, full_disk: Callable[[bool], None]
) -> None:
    writer = writer_of(max_file_bytes=2_000, max_buffer_bytes=2_000, retry_seconds=LONG)
    full_disk(True)
    for number in range(100):
        assert writer.write(b"%d" % number, NOON)
    full_disk(False)
    writer.close()
    kept = all_lines(tmp_path)
    assert kept == [b"%d" % number for number in range(100 - len(kept), 100)]
    assert 5 < len(kept) < 20
    assert writer.dropped == 100 - len(kept)


def test_what_cannot_be_written_at_the_end_is_counted_as_dropped(
    writer_of: Write, full_disk: Callable[[bool], None], caplog: pytest.LogCaptureFixture
) -> None:
    writer = writer_of()
    writer.write(b"{}", NOON)
    full_disk(True)
    writer.close()
    assert (writer.written, writer.dropped) == (0, 1)
    assert "1 tracked events" in caplog.messages[-1]


def test_a_disk_that_refuses_is_not_the_callers_problem(writer_of: Write, full_disk: Callable[[bool], None]) -> None:
    full_disk(True)
    tracker = Tracker(writer_of(max_file_bytes=300))
    assert [tracker.track("page_viewed").tracked for _ in range(5)] == [True] * 5
    tracker.flush()


def run(code: str, root: Path) -> None:
    head = f"import os, sys\nfrom ingestion.tracking import *\nw = LandingWriter({str(root)!r}, producer='child')\n"
    subprocess.run([sys.executable, "-c", head + code], check=True, cwd=Path(__file__).parents[4])


def test_what_waits_is_written_when_the_process_ends(tmp_path: Path) -> None:
    run("Tracker(w).track('page_viewed')", tmp_path)
    assert len(list(tmp_path.rglob("*.ndjson.gz"))) == 1


def test_a_forked_child_writes_its_own_lines_and_not_its_parents(tmp_path: Path) -> None:
    run(
        "from datetime import UTC, datetime\n"
        "at = datetime(2026, 10, 5, tzinfo=UTC)\n"
        "w.write(b'parent', at)\n"
        "child = os.fork()\n"
        "w.write(b'child' if child == 0 else b'parent again', at)\n"
        "if child: os.waitpid(child, 0)\n",
        tmp_path,
    )
    assert sorted(lines_of(tmp_path).values()) == [[b"child"], [b"parent", b"parent again"]]


@pytest.mark.parametrize(
    "options",
    [{"producer": "a/b"}, {"producer": ""}, {"max_age_seconds": 0}, {"max_file_bytes": 2, "max_buffer_bytes": 1}],
)
def test_settings_that_make_no_sense_are_refused_at_the_start(options: dict[str, Any], writer_of: Write) -> None:
    with pytest.raises(ValueError, match=r"producer|limits"):
        writer_of(**options)
