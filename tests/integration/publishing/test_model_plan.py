"""Plans of a change of code: models, days, rows, and what depends on what. The command prints them."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from click.testing import CliRunner

from orchestration.__main__ import warehouse as command_line
from publishing import applied_models, change_plan, dbt_manifest, model_plan, stale_reasons
from publishing.model_versions import ProjectVersion
from tests.support.pipeline import START, Pipeline
from warehouse.window import ONE_DAY


@pytest.fixture
def publish(pipeline: Pipeline) -> Callable[[ProjectVersion, int], None]:
    """Return a function that records so many days as published by a version."""

    def publish(project: ProjectVersion, days: int) -> None:
        stale_reasons.register_version(pipeline.connection, project)
        for number in range(days):
            pipeline.connection.execute(
                "insert into ops.published_days (event_date, build_id, run_id, change_id, model_version)"
                " values (%s, '', '', 0, %s)",
                [START + number * ONE_DAY, project.digest],
            )

    return publish


def changed(*models: str) -> ProjectVersion:
    now = dbt_manifest.project_version()
    return replace(now, versions={**now.versions, **dict.fromkeys(models, "other")})


def test_a_plan_names_models_days_and_what_lies_below_without_making_anything_stale(
    pipeline: Pipeline, publish: Callable[[ProjectVersion, int], None]
) -> None:
    publish(dbt_manifest.project_version(), 3)
    project = changed("daily_metrics", "weekly_metrics", "creator_dashboard")
    planned = model_plan.plan(pipeline.connection, dbt_manifest.manifest(), project)
    last = START + 2 * ONE_DAY
    assert [(model.name, model.days, model.first_day, model.last_day, model.is_below) for model in planned] == [
        ("creator_dashboard", 1, last, last, False),
        ("daily_metrics", 3, START, last, False),
        ("weekly_metrics", 3, START, last, True),
    ]
    assert pipeline.rows("select * from ops.stale_days") == []


def test_of_the_published_version_and_of_an_empty_warehouse_nothing_is_planned(
    pipeline: Pipeline, publish: Callable[[ProjectVersion, int], None]
) -> None:
    assert model_plan.plan(pipeline.connection, dbt_manifest.manifest(), changed("daily_metrics")) == []
    publish(dbt_manifest.project_version(), 2)
    assert model_plan.plan(pipeline.connection, dbt_manifest.manifest(), dbt_manifest.project_version()) == []


def test_days_of_an_unknown_version_are_planned_whole(
    pipeline: Pipeline, publish: Callable[[ProjectVersion, int], None]
) -> None:
    publish(dbt_manifest.project_version(), 1)
    pipeline.connection.execute("update ops.published_days set model_version = 'of before'")
    planned = model_plan.plan(pipeline.connection, dbt_manifest.manifest(), dbt_manifest.project_version())
    assert {model.name for model in planned} == set(dbt_manifest.project_version().versions)


def test_the_command_prints_the_plan(
    pipeline: Pipeline, publish: Callable[[ProjectVersion, int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchestration.cli.plan.provisioned_warehouse", lambda: pipeline.warehouse)
    publish(changed("funnel_daily"), 2)
    pipeline.connection.execute("insert into ops.published_marts values ('old_mart', %s, 'run')", [START])
    outcome = CliRunner().invoke(command_line, ["plan"], catch_exceptions=False)
    assert outcome.exit_code == 0
    assert "old_mart: no model makes it any more" in outcome.output
    assert [line.split()[:4] for line in outcome.output.splitlines() if line.startswith("funnel_daily")] == [
        ["funnel_daily", "2", "2026-10-01", "2026-10-02"]
    ]


def test_the_command_names_days_that_hold_a_plan(
    pipeline: Pipeline, publish: Callable[[ProjectVersion, int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchestration.cli.plan.provisioned_warehouse", lambda: pipeline.warehouse)
    before = changed("funnel_daily")
    publish(before, 2)
    applied_models.apply_at_once(pipeline.connection, before)
    waiting = CliRunner().invoke(command_line, ["plan"], catch_exceptions=False).output
    assert "nothing of this is built before `warehouse plan --apply`" in waiting
    change_plan.apply(pipeline.connection, dbt_manifest.project_version())
    pipeline.connection.execute(
        "insert into ops.check_results (build_id, check_name, window_start, window_end, severity, is_passed, observed,"
        " bad_days) values ('b', 'daily_metrics_match_raw_events', %(day)s, %(day)s + 1, 'error', false, '{}',"
        " array[%(day)s]::date[])",
        {"day": START},
    )
    output = CliRunner().invoke(command_line, ["plan"], catch_exceptions=False).output
    assert "a plan is carried out for funnel_daily: 2 days to build" in output
    assert "refused, so that readers keep the old version: 2026-10-01." in output
