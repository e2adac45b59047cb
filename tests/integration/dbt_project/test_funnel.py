"""The funnel against the rule itself, worked out in Python: days built in any order, late events, corrected files, and
sign-ins by which steps turn out to be another visitor's. And which days a changed step makes stale, and no others.
"""

import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.support.pipeline import START, Pipeline
from tests.support.random_visits import Visit, in_pieces, land, visitors
from warehouse.window import ONE_DAY, Window

DAYS = 35
WINDOW = Window(START, START + DAYS * ONE_DAY)
MIDNIGHT = datetime(START.year, START.month, START.day, tzinfo=UTC)
# The days with events: a run costs a second, and days side by side become stale together.
DAYS_WITH_EVENTS = [0, 1, 2, 16, 30, 31, 32, 33]
MICROSECOND = timedelta(microseconds=1)
# Of a day, so that steps meet at the ends of 30 days and at one moment.
TIMES = [
    timedelta(0),
    timedelta(hours=10),
    timedelta(hours=10),
    timedelta(hours=10) + MICROSECOND,
    ONE_DAY - MICROSECOND,
]
STEPS = {"asset_viewed": 1, "asset_downloaded": 2, "license_clicked": 2, "license_created": 3, "license_signed": 4}
NAMES = {1: "viewed", 2: "downloaded_or_clicked", 3: "license_created", 4: "license_signed"}

pytestmark = pytest.mark.models("funnel_daily", "daily_metrics", "daily_metrics_by_channel")


def random_visits(chance: random.Random, count: int, prefix: str) -> list[Visit]:
    kinds = ["asset_viewed"] * 8 + [*STEPS] * 2 + ["page_viewed", "license_created", "license_signed"]
    return [
        Visit(
            key=f"{prefix}-{number}",
            at=MIDNIGHT + chance.choice(DAYS_WITH_EVENTS) * ONE_DAY + chance.choice(TIMES),
            kind=chance.choice(kinds),
            device=f"device-{chance.randrange(5)}" if chance.random() < 0.7 else "",
            actor=f"user-{chance.randrange(2)}" if chance.random() < 0.4 else "",
            asset=f"asset-{chance.randrange(2)}" if chance.random() < 0.95 else "",
            is_bot=chance.random() < 0.05,
        )
        for number in range(count)
    ]


def expected_funnel(visits: list[Visit], ids: dict[str, UUID]) -> set[tuple[Any, ...]]:
    of_pair: dict[tuple[str, str], list[Visit]] = defaultdict(list)
    for visit, visitor in visitors(visits).items():
        if visit.asset and visit.kind in STEPS:
            of_pair[visitor, visit.asset].append(visit)

    def order(visit: Visit) -> tuple[datetime, UUID]:
        return visit.at, ids[visit.key]

    def has_come_to(visit: Visit, among: list[Visit], since: datetime) -> bool:
        return visit.at >= since and (
            STEPS[visit.kind] == 1
            or any(
                has_come_to(earlier, among, since)
                for earlier in among
                if STEPS[earlier.kind] == STEPS[visit.kind] - 1 and order(earlier) < order(visit)
            )
        )

    reached = {
        (visit.day, STEPS[visit.kind], visitor)
        for (visitor, _), among in of_pair.items()
        for visit in among
        if has_come_to(visit, among, visit.at - timedelta(days=30))
    }
    return {
        (day, step, name, sum(found[:2] == (day, step) for found in reached))
        for day in WINDOW.days()
        for step, name in NAMES.items()
    }


def assert_counted(pipeline: Pipeline, visits: list[Visit]) -> None:
    ids = dict(pipeline.rows("select event_key, event_id from raw.events"))
    shown = pipeline.rows("select metric_date, step_number, step, visitors from marts.funnel_daily")
    assert len(shown) == len(set(shown))
    assert set(shown) == expected_funnel(visits, ids)


def test_however_days_come_and_change_the_funnel_is_that_of_the_rule(pipeline: Pipeline) -> None:
    chance = random.Random(5)  # noqa: S311
    visits = random_visits(chance, 200, "first")
    land(pipeline, [], visits)
    for piece in in_pieces(WINDOW, chance):
        pipeline.run(piece, load=False)
    pipeline.catch_up()
    assert_counted(pipeline, visits)

    pipeline.data_tests = False
    for time in range(2):
        changed = {START + offset * ONE_DAY for offset in chance.sample(DAYS_WITH_EVENTS, 2)}
        left = [visit for visit in visits if visit.day not in changed or chance.random() < 0.6]
        late = [visit for visit in random_visits(chance, 60, f"late-{time}") if visit.day in changed]
        land(pipeline, visits, [*left, *late])
        visits = [*left, *late]
        assert pipeline.catch_up()
        assert_counted(pipeline, visits)

    one_by_one = pipeline.contents(["intermediate", "build", "marts"])
    pipeline.run(WINDOW, load=False)
    assert pipeline.contents(["intermediate", "build", "marts"]) == one_by_one


# What happens late on the second day, and on which days the same visitor takes which steps with the same asset: those
# that a change makes stale, and those that it does not.
LATE_STEPS: list[tuple[str, str, dict[int, str], dict[int, str]]] = [
    (
        "asset_viewed",
        "ana",
        {5: "license_clicked", 31: "license_created"},
        {0: "license_clicked", 32: "license_signed"},
    ),
    ("asset_downloaded", "ana", {8: "license_created"}, {9: "asset_viewed", 10: "license_clicked"}),
    ("license_created", "ana", {12: "license_signed"}, {13: "license_created"}),
    ("license_signed", "ana", {}, {14: "license_signed"}),
    ("page_viewed", "ana", {}, {15: "license_signed"}),
    ("asset_viewed", "ben", {}, {}),
]


def test_a_changed_step_makes_those_days_stale_on_which_it_may_lead_further_and_no_others(pipeline: Pipeline) -> None:
    def step(offset: int, kind: str, actor: str, asset: str) -> Visit:
        at = MIDNIGHT + timedelta(days=offset, hours=12)
        return Visit(f"{offset} {kind} {actor} {asset}", at, kind=kind, actor=actor, asset=asset)

    def stale_after(before: list[Visit], after: list[Visit]) -> dict[int, str]:
        land(pipeline, before, after)
        pipeline.connection.execute("delete from ops.stale_day_marks")
        pipeline.run(Window.day(START + ONE_DAY), load=False)
        stale = pipeline.rows("select event_date, reason from ops.stale_day_marks")
        return {(day - START).days: reason for day, reason in stale}

    pipeline.data_tests = False
    visits, late, days = [], [], set()
    for number, (kind, actor, stale, others) in enumerate(LATE_STEPS):
        visits += [step(offset, later, "ana", f"asset-{number}") for offset, later in (stale | others).items()]
        late.append(step(1, kind, actor, f"asset-{number}"))
        days |= stale.keys()
    land(pipeline, [], visits)
    pipeline.run(WINDOW, load=False)

    assert stale_after(visits, visits) == {}
    assert stale_after(visits, [*visits, *late]) == dict.fromkeys(days, "funnel_steps_changed")
    # And when they are gone again.
    assert stale_after([*visits, *late], visits) == dict.fromkeys(days, "funnel_steps_changed")
