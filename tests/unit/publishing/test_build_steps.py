"""Selections of dbt before and after the fits of a chunk."""

from datetime import date

from orchestration.dbt.cli_resource import build_arguments
from publishing.build_steps import selections
from warehouse.window import Window

MONDAY = date(2026, 10, 5)


VALUES = "source:attribution.attribution_channel_values+"
ROLLUPS = "config.meta.scope:week config.meta.scope:month config.meta.scope:snapshot config.meta.scope:keys"


def asked(chunk: Window, window: Window) -> list[list[str]]:
    """Return the selection of each invocation for a chunk."""
    days = build_arguments(chunk)
    arguments = [build_arguments(chunk, selection) for selection in selections(chunk, window)]
    assert all(given[: len(days)] == days for given in arguments)
    return [given[len(days) :] for given in arguments]


def test_within_one_week_dbt_is_called_once_and_builds_everything() -> None:
    week = Window(MONDAY, date(2026, 10, 12))
    assert asked(week, week) == [[]]


def test_several_weeks_are_built_up_to_the_fits_and_from_them_on() -> None:
    window = Window(date(2026, 10, 4), date(2026, 10, 6))
    assert asked(window, window) == [["--exclude", f"{VALUES} {ROLLUPS}"], ["--select", f"{VALUES} {ROLLUPS}"]]


def test_a_chunk_of_a_window_is_built_without_what_reads_all_its_chunks() -> None:
    window = Window(MONDAY, date(2026, 12, 1))
    assert asked(Window.day(MONDAY), window) == [["--exclude", ROLLUPS]]
    assert asked(Window(date(2026, 10, 4), date(2026, 10, 6)), window) == [
        ["--exclude", f"{VALUES} {ROLLUPS}"],
        ["--select", VALUES, "--exclude", ROLLUPS],
    ]
