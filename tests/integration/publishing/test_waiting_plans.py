"""Changes of code that nobody has applied: nights go on with all else, and readers keep whole marts."""

import pytest

from publishing import applied_models, change_plan
from publishing.plan_check import changed_models_are_applied
from tests.integration.publishing.edited_projects import FEWER, TWICE, Projects
from tests.integration.publishing.three_days import FIRST, SECOND, THIRD, WINDOW, days_of, events, freshness, stale
from tests.support.pipeline import Pipeline
from warehouse.window import Window

CHANGED = ["asset_top_referrers", "funnel_daily"]


@pytest.mark.slow
def test_a_night_builds_and_publishes_all_but_the_models_that_wait(two_days: Pipeline, projects: Projects) -> None:
    pipeline = two_days
    before = pipeline.contents(["marts"])
    projects.load(TWICE, FEWER)
    assert stale(pipeline) == {}, "until a plan is applied, days published with the old version are as wanted"
    assert applied_models.waiting_models(pipeline.connection, pipeline.version) == CHANGED

    night = Window.day(THIRD)
    pipeline.land(THIRD, events(THIRD))
    pipeline.data_tests = True
    pipeline.run(night)
    pipeline.data_tests = False
    assert pipeline.built_models is not None
    assert set(CHANGED).isdisjoint(pipeline.built_models)
    assert stale(pipeline) == {}
    assert days_of(pipeline, "daily_metrics") == [FIRST, SECOND, THIRD]
    after = pipeline.contents(["marts"])
    assert [after[f"marts.{mart}"] for mart in CHANGED] == [before[f"marts.{mart}"] for mart in CHANGED]
    assert freshness(pipeline, "daily_metrics", *CHANGED) == [
        ("asset_top_referrers", SECOND, "waits"),
        ("daily_metrics", THIRD, None),
        ("funnel_daily", SECOND, "waits"),
    ]
    outcome = changed_models_are_applied(pipeline.connection, night)
    assert not outcome.passed
    assert outcome.observed == {"models_waiting": 2}

    late = events(FIRST)[0] | {"idempotencyKey": "late", "anonymousId": "newcomer", "occurredAt": f"{FIRST}T20:00:00Z"}
    pipeline.land(FIRST, [*events(FIRST), late])
    pipeline.load(Window.day(FIRST))
    pipeline.catch_up()
    assert stale(pipeline) == {}, "a corrected day is built without the models that wait too"

    projects.load()
    missed = {FIRST: tuple(CHANGED), THIRD: tuple(CHANGED)}
    assert stale(pipeline) == missed, "a reverted change makes no day stale but those that were built meanwhile"
    assert freshness(pipeline, "funnel_daily") == [("funnel_daily", SECOND, None)]
    assert changed_models_are_applied(pipeline.connection, night).passed
    pipeline.catch_up()
    incremental = pipeline.contents()
    pipeline.connection.execute(
        "truncate ops.published_days, ops.built_days, ops.stale_day_marks, ops.applied_models, ops.attribution_fits"
    )
    pipeline.run(WINDOW, load=False)
    pipeline.catch_up()
    assert pipeline.contents() == incremental, "as a rebuild makes it"


@pytest.mark.slow
def test_applied_at_once_a_change_is_built_for_the_days_that_it_missed_too(
    two_days: Pipeline, projects: Projects
) -> None:
    pipeline = two_days
    projects.load(TWICE)
    pipeline.land(THIRD, events(THIRD))
    pipeline.run(Window.day(THIRD))
    applied_models.apply_at_once(pipeline.connection, pipeline.version)
    assert stale(pipeline) == dict.fromkeys(WINDOW.days(), ("funnel_daily",))
    pipeline.catch_up()
    assert pipeline.built_models == ["funnel_daily"]
    assert days_of(pipeline, "funnel_daily") == list(WINDOW.days())
    assert freshness(pipeline, "funnel_daily") == [("funnel_daily", THIRD, None)]


def test_the_first_build_of_a_warehouse_applies_its_code(pipeline: Pipeline) -> None:
    assert applied_models.wanted_version(pipeline.connection, pipeline.version) == pipeline.version
    assert not change_plan.apply(pipeline.connection, pipeline.version)
    assert change_plan.progress(pipeline.connection, pipeline.version) is None
    assert applied_models.waiting_models(pipeline.connection, pipeline.version) == []
