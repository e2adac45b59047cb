"""Incremental numbers of visitors against their days: the next run finds a number that has drifted."""

import pytest

from quality_checks.visitors import active_users_match_visitor_days, cohorts_match_visitor_days
from tests.integration.dbt_project.test_periods import change_assets
from tests.support import application_tables
from tests.support.pipeline import START, Pipeline
from warehouse.window import ONE_DAY, Window

pytestmark = pytest.mark.models("platform_metrics", "cohort_retention")

LAST = START + 2 * ONE_DAY
DAMAGE = [
    ("update build.active_users_by_period set active_users = active_users + 1 where period = '7d'",
     active_users_match_visitor_days),
    ("delete from build.active_users_by_period where period = 'today'", active_users_match_visitor_days),
    ("delete from rollups.visitor_active_days where visitor_id = 'anonymous:one of 2026-10-01'",
     cohorts_match_visitor_days),
    ("update build.cohort_weeks set visitors = visitors + 1 where active_week = '2026-09-28'",
     cohorts_match_visitor_days),
    ("insert into build.cohort_weeks select metric_date, cohort_week - 7, active_week, -1 from build.cohort_weeks",
     cohorts_match_visitor_days),
]  # fmt: skip


def land(pipeline: Pipeline) -> None:
    for day in Window(START, LAST + ONE_DAY).days():
        visitors = {
            "ana": {"actorId": "ana", "actorType": "user"},
            "a device": {"anonymousId": "a device"},
            "another": {"anonymousId": f"one of {day}"},
        }
        at = f"{day}T12:00:00Z"
        pipeline.land(
            day,
            [
                {"eventType": "page_viewed", "occurredAt": at, "idempotencyKey": f"{day} {name}", **visitor}
                for name, visitor in visitors.items()
            ],
        )


def test_what_has_gone_astray_trips_its_check(pipeline: Pipeline) -> None:
    change_assets(pipeline, application_tables.DDL)
    land(pipeline)
    pipeline.run(Window(START, LAST))
    window = Window.day(LAST)
    pipeline.run(window)
    assert active_users_match_visitor_days(pipeline.connection, window).passed
    assert cohorts_match_visitor_days(pipeline.connection, window).passed

    for damage, check in DAMAGE:
        with pipeline.connection.transaction(force_rollback=True):
            pipeline.connection.execute(damage)  # type: ignore[call-overload]
            outcome = check(pipeline.connection, window)
            assert outcome.blocks, damage
            assert (outcome.days, len(outcome.sample)) == ((LAST,), 1), damage
