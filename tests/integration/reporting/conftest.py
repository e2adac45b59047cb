"""A published marketplace, and the night of its report."""

from datetime import UTC, datetime

import pytest

from tests.integration.reporting.marketplace import DAYS, land, open_shop
from tests.support.pipeline import Pipeline

NIGHT = datetime(DAYS.end.year, DAYS.end.month, DAYS.end.day, 2, 10, tzinfo=UTC)


@pytest.fixture
def shop(pipeline: Pipeline) -> Pipeline:
    """Two days of a marketplace, published."""
    pipeline.data_tests = False
    open_shop(pipeline)
    land(pipeline)
    pipeline.run(DAYS, load=False)
    return pipeline
