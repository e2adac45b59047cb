"""Overrides: a refused day is published on the word of a person, for named checks, until what they find changes."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import pytest

from orchestration.defs.jobs.publish_refused_day import publish_refused_day
from publishing import gates
from publishing.gates import UnknownCheck
from quality_checks.anomaly_checks import blocking_check
from quality_checks.overrides import InvalidOverride
from tests.integration.orchestration.test_maintenance_jobs import failure, run
from tests.support.pipeline import START, GateClosed, Pipeline
from warehouse.window import ONE_DAY, Window

DAY = START + timedelta(weeks=10)
EVENTS, SESSIONS = blocking_check("events"), blocking_check("sessions")
REFUSING = [EVENTS, SESSIONS]
pytestmark = pytest.mark.models("event_source_days")


def land(pipeline: Pipeline, day: date, events: int) -> None:
    pipeline.land(
        day,
        [
            {"eventType": "page_viewed", "idempotencyKey": f"{number}", "anonymousId": f"device {number}",
             "occurredAt": f"{day}T{number % 24:02d}:30:00Z"}
            for number in range(events)
        ],
    )  # fmt: skip


@pytest.fixture
def refused(pipeline: Pipeline) -> Pipeline:
    """A day with a fifth of the events of its weekday, which two checks refuse."""
    pipeline.connection.execute(
        "insert into build.event_source_days"
        " select %s::date - 7 * week, 'web', 600, 24, 0, 600, 0, 0, 0, 0, 0, 0, 0 from generate_series(1, 8) as week",
        [DAY],
    )
    land(pipeline, DAY, 120)
    with pytest.raises(GateClosed):
        pipeline.run(Window.day(DAY))
    return pipeline


def override(pipeline: Pipeline, **given: Any) -> None:
    values: Mapping[str, Any] = {"names": REFUSING, "reason": "a sale", "name": "Ana"} | given
    gates.override(pipeline.connection, DAY, values["names"], reason=values["reason"], name=values["name"])


def published(pipeline: Pipeline) -> list[tuple[Any, ...]]:
    return pipeline.rows("select event_date from ops.published_days")


def test_the_named_checks_let_the_day_pass_and_readers_see_it(refused: Pipeline) -> None:
    override(refused)
    refused.run(Window.day(DAY))
    assert published(refused) == [(DAY,)]
    observed = refused.rows(
        "select observed -> 'overridden' from ops.check_results where check_name = %s and is_passed", EVENTS
    )
    assert observed == [({str(DAY): "Ana: a sale"},)]
    states = refused.rows("select distinct state, reasons from marts.stale_days where metric_date = %s", DAY)
    assert states == [("overridden", [f"overridden: {EVENTS}", f"overridden: {SESSIONS}"])]


def test_every_check_that_refuses_the_day_has_to_be_named(refused: Pipeline) -> None:
    override(refused, names=[EVENTS])
    with pytest.raises(GateClosed) as closed:
        refused.run(Window.day(DAY))
    assert [outcome.name for outcome in closed.value.outcomes] == [SESSIONS]
    assert published(refused) == []


REFUSED_OVERRIDES: list[tuple[dict[str, Any], str]] = [
    ({"reason": " "}, "give a reason"),
    ({"name": ""}, "give a name"),
    ({"names": []}, "name the checks"),
    ({"names": ["dbt_tests_pass"]}, "cannot be overruled"),
    ({"names": ["no_such_check"]}, "no blocking check has the name no_such_check"),
    ({"names": [*REFUSING, blocking_check("revenue")]}, "revenue_within_blocking_range does not refuse the day"),
    # A conservation law that holds is not overruled beforehand.
    ({"names": ["load_counts_add_up"]}, "does not refuse the day"),
]


def test_an_override_is_refused_where_anything_is_missing(refused: Pipeline) -> None:
    for given, words in REFUSED_OVERRIDES:
        with pytest.raises((InvalidOverride, UnknownCheck), match=words):
            override(refused, **given)
    config = {"day": str(DAY), "checks": REFUSING, "reason": "", "name": "Ana"}
    result = run(refused, publish_refused_day, {"publish_refused_day_op": {"config": config}})
    assert "give a reason" in failure(result)
    assert refused.rows("select * from ops.check_overrides") == []
    assert published(refused) == []


def test_rebuilds_with_the_same_value_pass_also_among_other_days(refused: Pipeline) -> None:
    override(refused)
    refused.run(Window.day(DAY))
    refused.run(Window.day(DAY))
    land(refused, DAY - ONE_DAY, 30)
    refused.run(Window(DAY - ONE_DAY, DAY + ONE_DAY))
    assert sorted(published(refused)) == [(DAY - ONE_DAY,), (DAY,)]


def test_another_value_is_refused_again_and_the_override_is_kept(refused: Pipeline) -> None:
    override(refused)
    refused.run(Window.day(DAY))
    land(refused, DAY, 100)
    with pytest.raises(GateClosed):
        refused.run(Window.day(DAY))
    kept = "select check_name, reason, name, is_in_force from ops.check_overrides order by 1"
    assert refused.rows(kept) == [(EVENTS, "a sale", "Ana", False), (SESSIONS, "a sale", "Ana", False)]
    # The first value is that which was overruled.
    land(refused, DAY, 120)
    refused.run(Window.day(DAY))
    assert refused.rows(kept) == [(EVENTS, "a sale", "Ana", True), (SESSIONS, "a sale", "Ana", True)]


def test_an_override_ends_when_the_check_passes(refused: Pipeline) -> None:
    override(refused)
    refused.run(Window.day(DAY))
    land(refused, DAY, 600)
    refused.run(Window.day(DAY))
    assert refused.rows("select distinct is_in_force from ops.check_overrides") == [(False,)]
    assert refused.rows("select * from marts.stale_days where state = 'overridden'") == []


def test_a_result_among_other_days_is_not_overruled(refused: Pipeline) -> None:
    land(refused, DAY - ONE_DAY, 30)
    with pytest.raises(GateClosed):
        refused.run(Window(DAY - ONE_DAY, DAY + ONE_DAY))
    with pytest.raises(InvalidOverride, match=f"Run the day alone.*--partition {DAY}"):
        override(refused)
