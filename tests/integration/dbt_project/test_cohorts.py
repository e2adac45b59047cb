"""Lifespans and returns of visitors, against a count in Python: days published in any order, late
events, corrected files, sign-ins by which visits turn out to be another visitor's.
"""

import random
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest

from tests.support.pipeline import START, Pipeline
from tests.support.random_visits import Visit, in_pieces, land, visitors
from warehouse.window import ONE_DAY, Window

DAYS = 30
WINDOW = Window(START, START + DAYS * ONE_DAY)
# The days with events: a run costs a second, and days side by side become stale together.
DAYS_WITH_EVENTS = [0, 1, 2, 3, 4, 11, 12, 19, 20, 21, 28]
MIDNIGHT = datetime(START.year, START.month, START.day, tzinfo=UTC)

pytestmark = pytest.mark.models("cohort_retention")


def random_visits(chance: random.Random, count: int, prefix: str) -> list[Visit]:
    """On devices of their own, of which few are ever seen with an actor."""
    return [
        Visit(
            key=f"{prefix}-{number}",
            at=MIDNIGHT + timedelta(days=chance.choice(DAYS_WITH_EVENTS), seconds=chance.randrange(86_400)),
            device=f"device-{chance.randrange(9)}" if chance.random() < 0.9 else "",
            actor=f"user-{chance.randrange(4)}" if chance.random() < 0.12 else "",
            is_bot=chance.random() < 0.05,
        )
        for number in range(count)
    ]


def days_of(visits: Iterable[Visit]) -> dict[str, set[date]]:
    days: dict[str, set[date]] = defaultdict(set)
    for visit, visitor in visitors(visits).items():
        days[visitor].add(visit.day)
    return days


def expected_activity(visits: list[Visit]) -> set[tuple[Any, ...]]:
    signed_in: dict[str, set[date]] = defaultdict(set)
    for visit in visits:
        if visit.actor and not visit.is_bot:
            signed_in[f"actor:{visit.actor}"].add(visit.day)
    return {
        (visitor, min(days), max(days), max(signed_in[visitor], default=None))
        for visitor, days in days_of(visits).items()
    }


def expected_retention(visits: list[Visit], published: Window) -> set[tuple[Any, ...]]:
    weeks = {visitor: {_monday(day) for day in days} for visitor, days in days_of(visits).items()}
    last = _monday(published.end - ONE_DAY)
    rows = set()
    cohort = _monday(published.start)
    while cohort <= last:
        began = [of for of in weeks.values() if min(of) == cohort]
        for number in range((last - cohort).days // 7 + 1):
            came = sum(cohort + timedelta(weeks=number) in of for of in began)
            rate = rounded(100 * came, len(began)) if began else 0
            rows.add((published.end - ONE_DAY, cohort, number, len(began), came, rate))
        cohort += timedelta(weeks=1)
    return rows


def rounded(numerator: int, denominator: int) -> Decimal:
    return (Decimal(numerator) / denominator).quantize(Decimal("0.0001"), ROUND_HALF_UP)


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def assert_counted(pipeline: Pipeline, visits: list[Visit]) -> None:
    activity = "select visitor_id, first_date, last_date, last_signed_in_date from rollups.visitor_lifespans"
    assert set(pipeline.rows(activity)) == expected_activity(visits)
    retention = pipeline.rows("select * from marts.cohort_retention")
    assert len(retention) == len(set(retention))
    assert set(retention) == expected_retention(visits, WINDOW)


def test_however_days_come_and_change_visitors_are_there_from_their_first_to_their_last(pipeline: Pipeline) -> None:
    chance = random.Random(3)  # noqa: S311
    visits = random_visits(chance, 120, "first")
    land(pipeline, [], visits)
    for piece in in_pieces(WINDOW, chance):
        pipeline.run(piece, load=False)
    pipeline.catch_up()
    assert_counted(pipeline, visits)

    pipeline.data_tests = False
    for time in range(2):
        # Visits are gone, of some visitors the first or the last, others are late, and somebody signs in.
        ends = sorted({end for days in days_of(visits).values() for end in (min(days), max(days))})
        changed = chance.sample(ends, 2)
        left = [visit for visit in visits if visit.day not in changed or chance.random() < 0.2]
        late = [visit for visit in random_visits(chance, 60, f"late-{time}") if visit.day in changed]
        land(pipeline, visits, [*left, *late])
        visits = [*left, *late]
        assert pipeline.catch_up()
        assert_counted(pipeline, visits)

    carried_on = pipeline.contents(["rollups", "marts"])
    pipeline.run(WINDOW, load=False)
    assert pipeline.contents(["rollups", "marts"]) == carried_on
