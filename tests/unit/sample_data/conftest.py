"""Small marketplaces, their lines, events and tables."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from ingestion.schema import CANDIDATE_COLUMN_NAMES
from ingestion.validation.event_record import ValidEvent
from ingestion.validation.validator import LineValidator, NotTracked, RejectedLine
from sample_data import LandingDay, Marketplace
from tests.support.stored_values import values_of

START = date(2026, 10, 1)
DAYS = 9


def small(days: int = DAYS, **options: int) -> Marketplace:
    """Return a marketplace with enough events for every rule to show, and few enough to be quick."""
    return Marketplace(start=START, days=days, events_per_day=1_500, **options)


@pytest.fixture(scope="module")
def landing_days() -> list[LandingDay]:
    return list(small().landing_days())


@pytest.fixture(scope="module")
def tables() -> dict[str, list[dict[str, Any]]]:
    return small().application_tables()


@pytest.fixture(scope="module")
def events(landing_days: list[LandingDay]) -> list[dict[str, Any]]:
    """Return the accepted events, one for each (event day, key), with the day they landed."""
    found: dict[tuple[date, str], dict[str, Any]] = {}
    for day in landing_days:
        for result in outcomes_of(day):
            if isinstance(result, ValidEvent):
                event = dict(zip(CANDIDATE_COLUMN_NAMES, values_of(result), strict=True))
                found.setdefault((event["event_date"], event["event_key"]), event | {"landed": day.day})
    return list(found.values())


def outcomes_of(day: LandingDay) -> Iterator[ValidEvent | RejectedLine | NotTracked]:
    validator = LineValidator(landing_date=day.day, start_date=START)
    for line in lines_of(day):
        yield validator.validate(line)


def lines_of(day: LandingDay) -> Iterator[bytes]:
    for file in day.files:
        yield from (line for line in file if line)
