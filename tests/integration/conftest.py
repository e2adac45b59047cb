"""What the tests against a real Postgres share: a pipeline on a fresh warehouse and an empty landing folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestration.warehouse import Warehouse
from tests.pipeline import Pipeline


@pytest.fixture
def pipeline(warehouse: Warehouse, tmp_path: Path) -> Iterator[Pipeline]:
    """A warehouse without data, and an empty landing folder."""
    pipeline = Pipeline(warehouse, tmp_path / "landing")
    yield pipeline
    pipeline.close()
