"""Landing files of the sample: what is written, skipped, replaced and finished."""

import gzip
from pathlib import Path

import pytest

from sample_data import LandingDay
from sample_data.landing_files import MANIFEST, write_landing_files
from tests.unit.sample_data.conftest import small


def test_the_files_hold_the_lines_and_are_the_same_every_time(landing_days: list[LandingDay], tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        write_landing_files(small(2), folder)
    names = sorted(str(path.relative_to(first)) for path in first.rglob("*") if path.is_file())
    assert names == [
        MANIFEST,
        *(f"ad_spend/2026-10-0{day}.csv" for day in (1, 2)),
        *(f"events/dt=2026-10-0{day}/part-00{part}.ndjson.gz" for day in (1, 2) for part in range(4)),
    ]
    for name in names:
        assert (first / name).read_bytes() == (second / name).read_bytes()
    lines = gzip.decompress((first / names[3]).read_bytes()).split(b"\n")
    assert tuple(lines) == (*landing_days[0].files[0], b"")


def test_writing_again_touches_nothing_and_says_so(tmp_path: Path) -> None:
    marketplace = small(2)
    said: list[str] = []
    days = write_landing_files(marketplace, tmp_path, said.append)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.gz")}

    assert write_landing_files(marketplace, tmp_path, said.append) == days
    assert said[-1] == "10 landing files are there already"
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.gz")} == before


def test_another_sample_replaces_its_own_files_and_no_others(tmp_path: Path) -> None:
    foreign = tmp_path / "events" / "dt=2026-10-02" / "mine.ndjson"
    write_landing_files(small(3), tmp_path)
    foreign.write_bytes(b"{}\n")
    kept = tmp_path / "events" / "dt=2026-10-01" / "part-000.ndjson.gz"
    written_at = kept.stat().st_mtime_ns

    write_landing_files(small(2), tmp_path)

    assert kept.stat().st_mtime_ns == written_at
    assert foreign.read_bytes() == b"{}\n"
    assert not list((tmp_path / "events" / "dt=2026-10-03").iterdir())


def test_a_file_that_is_gone_is_written_again(tmp_path: Path) -> None:
    marketplace = small(1)
    write_landing_files(marketplace, tmp_path)
    lost = tmp_path / "events" / "dt=2026-10-01" / "part-002.ndjson.gz"
    content = lost.read_bytes()
    lost.unlink()

    write_landing_files(marketplace, tmp_path)

    assert lost.read_bytes() == content


def test_writing_that_was_interrupted_is_finished_by_the_next(tmp_path: Path) -> None:
    marketplace = small(2)
    write_landing_files(marketplace, tmp_path)
    wanted = {path: path.read_bytes() for path in tmp_path.rglob("*.gz")}

    def give_up(message: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_landing_files(small(2, seed=1), tmp_path, give_up)
    write_landing_files(marketplace, tmp_path)

    assert {path: path.read_bytes() for path in tmp_path.rglob("*.gz")} == wanted
