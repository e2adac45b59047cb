"""Runs of Dagster on the warehouse of a test."""

import pytest

from tests.integration.orchestration.one_view import DAY, view, views
from tests.support.dagster_runs import DagsterRuns
from tests.support.pipeline import START, Pipeline


@pytest.fixture
def runs(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> DagsterRuns:
    return DagsterRuns(pipeline, monkeypatch)


@pytest.fixture
def published(runs: DagsterRuns) -> DagsterRuns:
    """One day with one view, published without Dagster; a second view has landed since."""
    runs.pipeline.land(START, [view(START, "first")])
    runs.pipeline.run(DAY)
    runs.pipeline.land(START, [view(START, "first"), view(START, "second")])
    assert views(runs) == {START: 1}
    return runs
