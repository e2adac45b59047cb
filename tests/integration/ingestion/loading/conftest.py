"""Fixtures of the loading tests: the raw tables of an empty warehouse."""

import pytest

from ingestion.deduplication import rate_limit
from tests.integration.ingestion.loading.raw_tables import RawTables
from tests.support.pipeline import Pipeline


@pytest.fixture
def raw(pipeline: Pipeline) -> RawTables:
    """The raw tables of an empty warehouse, and an empty landing folder."""
    return RawTables(pipeline)


@pytest.fixture
def limit_of_two(monkeypatch: pytest.MonkeyPatch) -> int:
    """Let a visitor have two events a minute, so that a handful of events exceeds the limit."""
    monkeypatch.setattr(rate_limit, "EVENTS_PER_MINUTE", 2)
    return 2
