"""Which runs landing files call for that are new, changed, or still being written."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from ingestion.landing.files import LandingFile
from ingestion.landing.storage import LocalFolder, StoredEntry
from orchestration.landing_sensor import Found, RunPlan, SensorState, older_days, plan_runs, watched_window
from warehouse.window import Window

NOW = datetime(2026, 10, 10, 12, tzinfo=UTC)
TODAY = date(2026, 10, 10)
STORAGE = LocalFolder(Path("landing"))


def file(day: int, name: str = "a.ndjson", version: str = "v1", size: int = 10, at: datetime = NOW) -> LandingFile:
    landing_date = date(2026, 10, day)
    entry = StoredEntry(f"events/dt={landing_date}/{name}", False, True, size, version, at)
    return LandingFile(STORAGE, entry, landing_date)


def looks(*found: Sequence[LandingFile], now: datetime = NOW, foreign: Sequence[Sequence[StoredEntry]] = ()) -> RunPlan:
    """Return what the last of several looks at the first ten days of the month comes to."""
    arrivals = RunPlan((), None, SensorState())
    days = frozenset(Window(date(2026, 10, 1), date(2026, 10, 11)).days())
    for number, files in enumerate(found):
        others = dict.fromkeys(days, foreign[number]) if foreign else {}
        arrivals = plan_runs(Found(files, others, days), SensorState.parse(arrivals.memory.dump()), now)
    return arrivals


def windows_of(arrivals: RunPlan) -> list[Window]:
    return [window for window, _ in arrivals.refresh]


def test_a_new_file_is_left_alone_at_the_first_look_and_runs_its_day_at_the_second():
    assert looks([file(5)]).refresh == ()
    assert windows_of(looks([file(5)], [file(5)])) == [Window.day(date(2026, 10, 5))]


def test_one_state_of_a_file_asks_for_one_run():
    assert looks([file(5)], [file(5)], [file(5)]).refresh == ()
    assert looks(*[[file(5)]] * 9).refresh == ()


def test_a_file_that_grows_is_left_alone_until_it_rests():
    growing = [[file(5, version=f"v{look}")] for look in range(5)]
    assert looks(*growing).refresh == ()
    assert windows_of(looks(*growing, growing[-1])) == [Window.day(date(2026, 10, 5))]


def test_a_day_waits_for_the_file_that_grows_and_then_runs_once_for_all():
    whole = file(5, "a.ndjson")
    first, second = file(5, "b.ndjson", "v1"), file(5, "b.ndjson", "v2")
    assert looks([whole, first], [whole, second]).refresh == ()
    ((window, _),) = looks([whole, first], [whole, second], [whole, second]).refresh
    assert window == Window.day(date(2026, 10, 5))
    assert looks([whole, first], [whole, second], [whole, second], [whole, second]).refresh == ()


def test_new_files_that_keep_arriving_do_not_hold_up_those_before_them():
    arriving = [[file(5, f"{number}.ndjson") for number in range(count)] for count in range(1, 5)]
    assert windows_of(looks(*arriving)) == [Window.day(date(2026, 10, 5))]


def test_a_file_that_changes_after_its_run_was_asked_for_asks_for_another_under_another_key():
    ((_, before),) = looks([file(5)], [file(5)]).refresh
    changed = file(5, version="v2")
    ((_, after),) = looks([file(5)], [file(5)], [changed], [changed]).refresh
    assert before != after


def test_the_same_files_give_the_same_key_whatever_their_order():
    a, b = file(5, "a.ndjson"), file(5, "b.ndjson")
    assert looks([a, b], [a, b]).refresh == looks([b, a], [b, a]).refresh


def test_days_that_follow_each_other_are_one_run():
    files = [file(day) for day in (3, 4, 5, 7)]
    assert windows_of(looks(files, files)) == [
        Window(date(2026, 10, 3), date(2026, 10, 6)),
        Window.day(date(2026, 10, 7)),
    ]


def test_todays_files_are_only_loaded():
    arrivals = looks([file(10)], [file(10)])
    assert arrivals.refresh == ()
    assert arrivals.load is not None
    assert looks([file(10)], [file(10)], [file(10)]).load is None


@pytest.mark.parametrize(("hour", "minute", "is_only_loaded"), [(0, 0, True), (1, 59, True), (2, 0, False)])
def test_yesterdays_files_are_only_loaded_until_the_nightly_run(hour, minute, is_only_loaded):
    now = datetime(2026, 10, 10, hour, minute, tzinfo=UTC)
    arrivals = looks([file(9)], [file(9)], now=now)
    assert (arrivals.load is not None) is is_only_loaded
    assert (arrivals.refresh == ()) is is_only_loaded


def test_a_file_that_is_gone_is_forgotten():
    assert looks([file(5)], []).memory == SensorState()
    assert looks([file(5)], [], [file(5)]).refresh == ()


def test_a_day_whose_folder_differs_from_the_one_that_failed_is_tried_again():
    good, broken = file(5, "good.ndjson"), file(5, "broken.ndjson.gz")
    foreign = StoredEntry("events/dt=2026-10-05/notes.txt", False, True, 3, "v1", NOW)
    ((_, failed),) = looks([good], [good], foreign=[[foreign], [foreign]]).refresh
    assert looks(*[[good]] * 3, foreign=[[foreign]] * 3).refresh == ()
    ((_, key),) = looks(*[[good]] * 3, foreign=[[foreign], [foreign], []]).refresh
    assert key != failed, "the foreign file is gone"
    ((window, _),) = looks([good, broken], [good, broken], [good]).refresh
    assert window == Window.day(date(2026, 10, 5)), "the broken file is gone"


def test_days_that_are_not_looked_at_stay_as_they_were():
    asked = looks([file(5)], [file(5)]).memory
    elsewhere = plan_runs(Found([], {}, frozenset({date(2026, 10, 9)})), asked, NOW)
    assert elsewhere.memory == asked
    assert elsewhere.refresh == ()


def test_a_cursor_of_an_earlier_form_is_looked_at_anew():
    assert SensorState.parse('{"events/dt=2026-10-05/a.ndjson": ["v1", true]}') == SensorState()
    assert SensorState.parse(None) == SensorState()


def test_older_days_have_their_turn_and_begin_again_from_the_latest():
    latest, first = Window(date(2026, 10, 21), date(2026, 10, 29)), date(2026, 10, 1)
    folders = [date(2026, 9, 30), *(date(2026, 10, number) for number in range(1, 29))]
    looked: list[date] = []
    for _ in range(3):
        looked += older_days(folders, latest, first, looked[-1] if looked else None)
    assert looked == [date(2026, 10, number) for number in range(20, 0, -1)]
    assert older_days(folders, latest, first, first)[0] == date(2026, 10, 20)
    assert older_days(folders[-3:], latest, first, None) == []


def test_eight_landing_days_are_looked_at_and_none_before_the_first():
    assert watched_window(NOW, date(2026, 9, 1)) == Window(date(2026, 10, 3), date(2026, 10, 11))
    assert watched_window(NOW, date(2026, 10, 8)) == Window(date(2026, 10, 8), date(2026, 10, 11))
    assert watched_window(NOW, TODAY) == Window.day(TODAY)
    assert watched_window(NOW, date(2026, 10, 11)) is None
