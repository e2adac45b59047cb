"""Selections of dbt before and after the fits of a chunk."""

from datetime import date

from orchestration.dbt.cli_resource import build_arguments
from publishing import dbt_manifest
from publishing.build_steps import Partial, selections
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


def test_what_a_changed_rollup_reads_is_built_with_it_and_tests_of_waiting_models_are_not_run() -> None:
    manifest = dbt_manifest.manifest()
    partial = Partial.of(manifest, ["asset_metrics", "daily_metrics"], frozenset({"weekly_metrics"}))
    assert partial.by_day == {"daily_metrics"}
    assert {"asset_metrics", "monthly_metrics", "periods", "visitors_by_period", "visitor_asset_last_seen"} == {
        *partial.rollups
    }
    week = Window(MONDAY, date(2026, 10, 12))
    [options] = selections(week, week, partial)
    assert options[1].split() == sorted(partial.all)
    assert options[2:] == ("--exclude", "weekly_metrics")


def test_models_below_the_fits_are_built_after_them() -> None:
    manifest = dbt_manifest.manifest()
    partial = Partial.of(manifest, [dbt_manifest.VALUES, "attribution_credits", "int_sessions"], frozenset())
    assert (partial.by_day, partial.credited) == ({"int_sessions"}, {"attribution_credits"})
    window = Window(date(2026, 10, 4), date(2026, 10, 6))
    before, after = selections(window, window, partial)
    assert "int_sessions" in before[1].split()
    assert after[1] == "attribution_credits"
    assert "attribution_credits" in before[3].split(), "its tests wait for it"
