"""Fixtures of the landing tests."""

from datetime import date
from pathlib import Path

import pytest

from ingestion.validation.validator import LineValidator


@pytest.fixture
def validator() -> LineValidator:
    return LineValidator(landing_date=date(2026, 10, 3), start_date=date(2026, 10, 1))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "events" / "dt=2026-10-01").mkdir(parents=True)
    return tmp_path
