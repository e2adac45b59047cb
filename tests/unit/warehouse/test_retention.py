"""The boundary between sealed and unsealed days, and the part of a window on either side of it."""

from datetime import date

import pytest

from warehouse import retention, settings
from warehouse.window import Window

BOUNDARY = date(2026, 10, 15)


def test_a_day_is_sealed_once_it_is_older_than_the_setting_says() -> None:
    assert retention.boundary(date(2026, 11, 14), 30) == BOUNDARY


@pytest.mark.parametrize(
    ("window", "rest"),
    [
        (Window(date(2026, 10, 1), date(2026, 10, 15)), None),
        (Window(date(2026, 10, 1), date(2026, 10, 16)), Window(BOUNDARY, date(2026, 10, 16))),
        (Window(BOUNDARY, date(2026, 10, 20)), Window(BOUNDARY, date(2026, 10, 20))),
    ],
)
def test_the_rest_of_a_window_begins_with_the_boundary(window: Window, rest: Window | None) -> None:
    assert retention.unsealed(window, BOUNDARY) == rest
    assert retention.unsealed(window, None) == window


def test_a_window_of_sealed_days_says_which_days_to_choose() -> None:
    with pytest.raises(retention.SealedDays, match="2026-10-15"):
        retention.require_unsealed(Window(date(2026, 10, 1), date(2026, 10, 2)), BOUNDARY)


@pytest.mark.parametrize(
    ("boundary", "first"),
    [
        # The week of a Thursday begins in its month; that of the first of a month before it.
        (date(2026, 10, 15), date(2026, 10, 1)),
        (date(2026, 10, 1), date(2026, 9, 28)),
    ],
)
def test_visitor_days_are_whole_from_the_week_and_month_of_the_boundary_on(boundary: date, first: date) -> None:
    assert retention.visitor_days_from(boundary) == first


def test_fewer_than_thirty_days_are_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WAREHOUSE_URL", "WAREHOUSE_HASH_KEY", "LANDING_URL", "APP_DATABASE_URL"):
        monkeypatch.setenv(name, "anything")
    monkeypatch.setenv("WAREHOUSE_START_DATE", "2026-10-01")
    monkeypatch.setenv("WAREHOUSE_RETENTION_DAYS", "29")
    settings.settings.cache_clear()
    try:
        with pytest.raises(settings.MissingSetting, match=r"WAREHOUSE_RETENTION_DAYS.*30"):
            settings.settings()
    finally:
        settings.settings.cache_clear()
