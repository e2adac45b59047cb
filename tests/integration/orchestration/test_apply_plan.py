"""The job apply_plan, and the sensor that says that a plan waits and carries on one whose run has died."""

import os
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest

from publishing import change_plan, dbt_manifest
from tests.integration.orchestration.one_view import DAY, views
from tests.support.code_location import definitions
from tests.support.dagster_runs import DagsterRuns
from tests.support.pipeline import START


@pytest.fixture
def change(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that gives models another version, as an edit of their SQL does. It waits for a plan."""
    monkeypatch.setattr(
        "orchestration.dbt.code_changes.settings", lambda: SimpleNamespace(warehouse_apply_changes=False)
    )

    def change(version: str, *models: str) -> None:
        now = dbt_manifest.project_version()
        changed = replace(now, versions={**now.versions, **dict.fromkeys(models, version)})
        monkeypatch.setattr(dbt_manifest, "project_version", lambda: changed)

    return change


def apply_plan(config: dict[str, Any]) -> str:
    """Run the job. Return its log."""
    with dg.DagsterInstance.ephemeral() as instance:
        job = definitions().resolve_job_def("apply_plan")
        result = job.execute_in_process(instance=instance, run_config=config, raise_on_error=False)
        log = "\n".join(entry.user_message for entry in instance.all_logs(result.run_id))
        assert result.success, log
        return log


def asked_for() -> tuple[list[Any], str | None]:
    """Return the runs that the sensor asks for now, and why it asks for none."""
    from orchestration.defs.resources import WarehouseResource

    sensor = definitions().get_repository_def().get_sensor_def("stale_days_sensor")
    with dg.DagsterInstance.ephemeral() as instance:
        resources = {"warehouse": WarehouseResource(url=os.environ["WAREHOUSE_URL"])}
        evaluation = sensor.evaluate_tick(dg.build_sensor_context(instance=instance, resources=resources))
    return list(evaluation.run_requests or []), evaluation.skip_message


@pytest.mark.long
def test_a_plan_is_carried_out_by_its_job_or_by_what_the_sensor_asks_for(
    published: DagsterRuns, change: Callable[..., None]
) -> None:
    pipeline = published.pipeline
    assert published.run(DAY).is_success
    before = pipeline.contents()

    change("second version", "weekly_metrics", "funnel_daily")
    requests, reason = asked_for()
    assert requests == []
    assert "a plan waits for funnel_daily, weekly_metrics" in str(reason)
    log = apply_plan({"ops": {"apply_plan_op": {"config": {"strategy": "SWAP"}}}})
    assert "readers see the new version of funnel_daily, weekly_metrics" in log
    assert asked_for() == ([], "no day is stale")

    change("third version", "weekly_metrics", "funnel_daily")
    run = published.run(DAY)
    assert run.is_success, run.error
    assert "not published, because a plan waits or is carried out: funnel_daily, weekly_metrics" in run.log
    assert not run.check("changed_models_are_applied").passed
    change_plan.apply(pipeline.connection, dbt_manifest.project_version())
    [request], _ = asked_for()
    assert (request.job_name, request.tags["stale_because"]) == ("daily_refresh", "models_changed")
    run = published.run(DAY)
    assert run.is_success, run.error
    [request], _ = asked_for()
    assert request.job_name == "apply_plan"
    apply_plan(request.run_config)
    assert asked_for() == ([], "no day is stale")
    assert pipeline.contents() == before
    assert views(published) == {START: 2}
