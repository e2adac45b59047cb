"""Runs of days for which only the version of models has changed: dbt builds these models and no others."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from publishing import dbt_manifest
from tests.integration.orchestration.one_view import DAY, views
from tests.support.dagster_runs import DagsterRuns
from tests.support.pipeline import START


@pytest.fixture
def change(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that gives models another version, as an edit of their SQL does."""

    def change(*models: str) -> None:
        now = dbt_manifest.project_version()
        changed = replace(now, versions={**now.versions, **dict.fromkeys(models, "another version")})
        monkeypatch.setattr(dbt_manifest, "project_version", lambda: changed)

    return change


@pytest.mark.slow
def test_a_run_builds_the_changed_models_and_publishes_their_marts(
    published: DagsterRuns, change: Callable[..., None]
) -> None:
    assert published.run(DAY).is_success
    before = published.pipeline.contents()
    change("weekly_metrics", "funnel_daily")
    run = published.run(DAY)
    assert run.is_success, run.error
    assert "building funnel_daily, weekly_metrics, and no others" in run.log
    (unchanged,) = {metadata.get("unchanged") for metadata in run.metadata("build/daily_metrics").values()}
    assert unchanged is True
    built = run.metadata("build/funnel_daily")
    assert all("unchanged" not in metadata for metadata in built.values())
    assert published.pipeline.rows("select models from ops.last_build") == [(["funnel_daily", "weekly_metrics"],)]
    [weekly] = run.metadata("marts/weekly_metrics").values()
    assert (weekly["model_version"], weekly["build"]) == ("another version", run.run_id)
    assert "unchanged" not in weekly
    [daily] = run.metadata("marts/daily_metrics").values()
    assert daily["unchanged"] is True
    assert [metadata["model_version"] for metadata in built.values()] == ["another version"]
    assert published.pipeline.contents() == before
    assert views(published) == {START: 2}
    assert published.pipeline.rows("select * from ops.stale_days") == []

    again = published.run(DAY)
    assert again.is_success, again.error
    assert "and no others" not in again.log, "a day of which nothing is stale is built whole when it is run"
