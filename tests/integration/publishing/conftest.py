"""Warehouses with published days, and projects that are edited."""

from pathlib import Path

import pytest

from publishing import dbt_manifest
from tests.integration.publishing.edited_projects import Projects
from tests.integration.publishing.one_view import DAY, view, views_in_marts
from tests.integration.publishing.three_days import FIRST, SECOND, THIRD, events, own_the_asset
from tests.support.pipeline import START, Pipeline
from warehouse.window import Window


@pytest.fixture
def published(pipeline: Pipeline) -> Pipeline:
    """One day with one view, published."""
    pipeline.land(START, [view(START, "first")])
    pipeline.run(DAY)
    assert views_in_marts(pipeline) == [(START, 1)]
    return pipeline


@pytest.fixture
def two_days(pipeline: Pipeline) -> Pipeline:
    """A warehouse with two published days."""
    pipeline.data_tests = False
    own_the_asset(pipeline)
    pipeline.read_application(FIRST)
    for day in (FIRST, SECOND):
        pipeline.land(day, events(day))
    pipeline.run(Window(FIRST, THIRD))
    pipeline.catch_up()
    return pipeline


@pytest.fixture
def projects(two_days: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Projects:
    """Projects for this warehouse: the edits of those that are loaded wait for a plan."""
    monkeypatch.setattr(dbt_manifest, "project_version", lambda: two_days.version)
    return Projects(two_days, tmp_path)
