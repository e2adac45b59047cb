"""A warehouse with one published day."""

import pytest

from tests.integration.publishing.one_view import DAY, view, views_in_marts
from tests.support.pipeline import START, Pipeline


@pytest.fixture
def published(pipeline: Pipeline) -> Pipeline:
    """One day with one view, published."""
    pipeline.land(START, [view(START, "first")])
    pipeline.run(DAY)
    assert views_in_marts(pipeline) == [(START, 1)]
    return pipeline
