"""A tracker whose lines, time and keys a test can see."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from ingestion.tracking import Tracker

NOW = datetime(2026, 10, 5, 12, 0, 0, 250_000, tzinfo=UTC)


class Lines:
    """A sink that keeps what it is given."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.is_open = True

    def write(self, line: bytes, arrived_at: datetime) -> bool:  # noqa: ARG002
        if self.is_open:
            self.lines.append(line)
        return self.is_open

    def flush(self) -> None:
        pass

    def close(self) -> None:
        self.is_open = False

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines]


@pytest.fixture
def sink() -> Lines:
    return Lines()


@pytest.fixture
def tracker(sink: Lines) -> Tracker:
    return Tracker(sink, clock=lambda: NOW)
