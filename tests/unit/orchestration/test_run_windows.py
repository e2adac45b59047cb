"""Partitions and windows, there and back."""

from datetime import UTC, date, datetime
from types import SimpleNamespace

import dagster as dg
import pytest

from orchestration.run_windows import landing_days_after, run_tags, window_of
from publishing.stale_days import windows_of
from tests.support.code_location import definitions
from warehouse.window import Window

FIRST = date(2026, 10, 1)


def daily_partitions() -> dg.PartitionsDefinition[str]:
    found = definitions().resolve_asset_graph().get(dg.AssetKey(["raw", "events"])).partitions_def
    assert found
    return found


def context(start: str, end: str) -> SimpleNamespace:
    """A run that covers these days, the end exclusive."""
    ends = [datetime.fromisoformat(day).replace(tzinfo=UTC) for day in (start, end)]
    return SimpleNamespace(
        run=SimpleNamespace(tags={"dagster/partition": start}), partition_time_window=dg.TimeWindow(*ends)
    )


def test_partitions_are_the_whole_utc_days_from_the_first_to_yesterday() -> None:
    noon = datetime(2026, 10, 4, 12, tzinfo=UTC)
    with dg.partition_loading_context(effective_dt=noon):
        assert daily_partitions().get_partition_keys() == ["2026-10-01", "2026-10-02", "2026-10-03"]


def test_a_day_has_no_partition_until_it_is_over() -> None:
    for moment, count in [(datetime(2026, 10, 1, 23, 59, 59, tzinfo=UTC), 0), (datetime(2026, 10, 2, tzinfo=UTC), 1)]:
        with dg.partition_loading_context(effective_dt=moment):
            assert len(daily_partitions().get_partition_keys()) == count


def test_the_window_of_a_run_is_its_partition_or_its_range() -> None:
    assert window_of(context("2026-10-01", "2026-10-02")) == Window.day(FIRST)
    assert window_of(context("2026-10-01", "2026-11-01")) == Window(FIRST, date(2026, 11, 1))


def test_a_run_without_days_is_told_how_to_name_some() -> None:
    with pytest.raises(dg.Failure, match=r"started without days.*launch job daily_refresh") as caught:
        window_of(SimpleNamespace(run=SimpleNamespace(tags={"dagster/job": "daily_refresh"})))  # type: ignore[arg-type]
    assert not caught.value.allow_retries


@pytest.mark.parametrize(
    ("window", "last"),
    [(Window.day(FIRST), "2026-10-01"), (Window(FIRST, date(2026, 11, 1)), "2026-10-31")],
)
def test_the_tags_of_a_run_name_its_first_and_its_last_day(window: Window, last: str) -> None:
    assert run_tags(window) == {
        "dagster/asset_partition_range_start": "2026-10-01",
        "dagster/asset_partition_range_end": last,
    }


def test_a_run_loads_the_landing_day_after_its_own_and_more_where_it_is_asked_to() -> None:
    day, end = Window.day(FIRST), date(2026, 10, 2)
    for asked, loaded_end in ((None, date(2026, 10, 3)), (end, date(2026, 10, 3)), (date(2026, 10, 9),) * 2):
        run = context("2026-10-01", "2026-10-02")
        run.run.tags |= run_tags(day, landing_end=asked)
        assert landing_days_after(run) == Window(end, loaded_end)  # type: ignore[arg-type]


def days(*numbers: int) -> list[date]:
    return [date(2026, 10, number) for number in numbers]


def test_days_in_a_row_are_one_window_and_a_gap_ends_it() -> None:
    assert windows_of(days(1, 2, 3, 5, 8, 9)) == [
        Window(date(2026, 10, 1), date(2026, 10, 4)),
        Window(date(2026, 10, 5), date(2026, 10, 6)),
        Window(date(2026, 10, 8), date(2026, 10, 10)),
    ]


def test_order_and_repetition_of_days_do_not_matter() -> None:
    assert windows_of(days(3, 1, 2, 3, 1)) == [Window(date(2026, 10, 1), date(2026, 10, 4))]


def test_windows_hold_these_days_and_no_others() -> None:
    some = days(2, 3, 7, 9, 10, 11)
    assert [day for window in windows_of(some) for day in window.days()] == some


def test_no_days_are_no_windows() -> None:
    assert windows_of([]) == []
