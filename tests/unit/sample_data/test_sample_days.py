"""Days of the sample, at the first `make demo` and at later ones."""

import os
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from sample_data import Marketplace, demo_lock
from sample_data.landing_files import MANIFEST, sample_in, write_landing_files
from sample_data.sample_days import DemoNotPossible, SampleState, is_start_chosen, sample_days, save_start_date
from warehouse.connection import CHECKOUT
from warehouse.window import Window

PROPOSED = date(2026, 10, 1)
YESTERDAY = date(2027, 3, 14)
FIRST = SampleState(PROPOSED, is_start_chosen=False, sample=None, yesterday=YESTERDAY)
THERE = Window(date(2027, 2, 1), date(2027, 3, 3))
LATER = SampleState(THERE.start, is_start_chosen=True, sample=THERE, yesterday=YESTERDAY)


def test_the_first_sample_ends_yesterday() -> None:
    assert sample_days(FIRST) == Window(date(2027, 2, 13), date(2027, 3, 15))


def test_the_end_of_the_first_sample_can_be_named() -> None:
    assert sample_days(FIRST, end=date(2026, 10, 30)) == Window(date(2026, 10, 1), date(2026, 10, 31))


def test_a_first_day_that_somebody_chose_is_kept() -> None:
    chosen = replace(FIRST, start=date(2026, 12, 1), is_start_chosen=True)
    assert sample_days(chosen) == Window(date(2026, 12, 1), date(2026, 12, 31))
    assert sample_days(chosen, end=date(2026, 12, 5)) == Window(date(2026, 12, 1), date(2026, 12, 6))
    with pytest.raises(DemoNotPossible, match=r"before the warehouse's first day, WAREHOUSE_START_DATE=2026-12-01"):
        sample_days(chosen, end=date(2026, 11, 30))


def test_a_later_demo_keeps_the_days_of_the_sample() -> None:
    assert sample_days(LATER) == THERE
    assert sample_days(replace(LATER, yesterday=YESTERDAY + timedelta(weeks=9))) == THERE


def test_a_sample_of_the_proposed_first_day_is_kept_too() -> None:
    old = SampleState(PROPOSED, False, Window(PROPOSED, date(2026, 10, 31)), YESTERDAY)
    assert sample_days(old) == old.sample


def test_settings_that_were_written_anew_take_the_first_day_of_the_sample_that_is_there() -> None:
    assert sample_days(replace(FIRST, sample=THERE)) == THERE


def test_the_days_since_the_last_one_are_added_on_request() -> None:
    assert sample_days(LATER, is_extended=True) == Window(THERE.start, date(2027, 3, 15))
    assert sample_days(LATER, end=date(2027, 3, 4)) == Window(THERE.start, date(2027, 3, 5))
    today = replace(LATER, yesterday=date(2027, 3, 2))
    assert sample_days(today, is_extended=True) == THERE, "a second time on the same day adds nothing"


def test_a_sample_does_not_lose_days() -> None:
    with pytest.raises(DemoNotPossible, match="cannot end on 2027-03-01, which is earlier"):
        sample_days(LATER, end=date(2027, 3, 1))


@pytest.mark.parametrize("known", [FIRST, LATER])
def test_days_that_are_not_over_are_refused(known: SampleState) -> None:
    with pytest.raises(DemoNotPossible, match="its days must be over"):
        sample_days(known, end=YESTERDAY + timedelta(days=1))


def test_another_first_day_of_the_warehouse_makes_another_sample() -> None:
    moved = replace(LATER, start=date(2026, 12, 1))
    assert sample_days(moved) == Window(date(2026, 12, 1), date(2026, 12, 31))


def test_the_first_day_replaces_the_proposed_one_in_the_settings(tmp_path: Path) -> None:
    file = tmp_path / ".env.local"
    file.write_text((CHECKOUT / ".env.example").read_text())
    save_start_date(date(2027, 2, 13), file)

    assert file.stat().st_mode & 0o777 == 0o600
    changed = [
        (old, new)
        for old, new in zip(
            (CHECKOUT / ".env.example").read_text().splitlines(), file.read_text().splitlines(), strict=True
        )
        if old != new
    ]
    assert changed == [("WAREHOUSE_START_DATE=2026-10-01", "WAREHOUSE_START_DATE=2027-02-13")]
    assert not is_start_chosen(PROPOSED, CHECKOUT)
    assert is_start_chosen(date(2027, 2, 13), CHECKOUT)


def test_the_first_day_is_added_to_settings_without_one(tmp_path: Path) -> None:
    file = tmp_path / ".env.local"
    file.write_text("LANDING_URL=landing\n")
    save_start_date(date(2027, 2, 13), file)
    assert file.read_text() == "LANDING_URL=landing\nWAREHOUSE_START_DATE=2027-02-13\n"


def test_the_landing_folder_tells_the_days_of_its_sample_also_when_half_of_it_is_written(tmp_path: Path) -> None:
    assert sample_in(tmp_path) is None
    sample = Marketplace(start=date(2027, 2, 1), days=2, events_per_day=10)

    def crash(_: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_landing_files(sample, tmp_path, crash)
    assert (tmp_path / MANIFEST).exists()
    assert sample_in(tmp_path) == (date(2027, 2, 1), 2)
    write_landing_files(sample, tmp_path)
    assert sample_in(tmp_path) == (date(2027, 2, 1), 2)


def test_a_longer_sample_keeps_the_files_of_the_shorter_one(tmp_path: Path) -> None:
    write_landing_files(Marketplace(days=1, events_per_day=50), tmp_path)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "events").rglob("*.gz")}
    write_landing_files(Marketplace(days=2, events_per_day=50), tmp_path)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert len(list((tmp_path / "events").glob("dt=*"))) > 1


def test_a_second_demo_says_for_whom_it_waits_and_goes_on_when_the_first_has_ended(tmp_path: Path) -> None:
    said: list[str] = []
    first = demo_lock.taken(tmp_path / "demo.lock", said.append)
    first.__enter__()
    assert said == []

    def end_the_first(text: str) -> None:
        said.append(text)
        first.__exit__(None, None, None)

    with demo_lock.taken(tmp_path / "demo.lock", end_the_first):
        assert said == [f"another make demo is at work here (process {os.getpid()}): waiting until it has ended"]
