"""How dbt is asked for what comes before the fits of a chunk, and for what comes after."""

from datetime import date

from ingestion.window import Window
from orchestration.dbt import build_arguments
from orchestration.fits import selections

MONDAY = date(2026, 10, 5)


def test_within_one_week_dbt_is_called_once_and_builds_everything() -> None:
    assert selections(Window(MONDAY, date(2026, 10, 12))) == [()]
    assert build_arguments(Window.day(MONDAY), ()) == build_arguments(Window.day(MONDAY))


def test_a_chunk_of_several_weeks_is_built_up_to_the_fits_and_from_them_on() -> None:
    window = Window(date(2026, 10, 4), date(2026, 10, 6))
    before, after = (build_arguments(window, selection) for selection in selections(window))
    assert before == [*build_arguments(window), "--exclude", "source:attribution.attribution_channel_values+"]
    assert after == [*build_arguments(window), "--select", "source:attribution.attribution_channel_values+"]
