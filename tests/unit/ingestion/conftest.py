"""A good event to change, and a validator to validate it, for the tests of this folder."""

import json
from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from ingestion.schema import CANDIDATE_COLUMN_NAMES
from ingestion.validation.event_record import ValidEvent
from ingestion.validation.validator import LineValidator, RejectedLine
from tests.support.stored_values import values_of

GOOD_EVENT: dict[str, Any] = {
    "eventType": "asset_viewed",
    "occurredAt": "2026-10-03T14:22:31.123Z",
    "receivedAt": "2026-10-03T14:22:32Z",
    "idempotencyKey": "key-1",
    "actorId": "user-1",
    "anonymousId": "device-1",
    "sessionId": "1b4e28ba-2fa1-41d2-883f-0016d3cca427",
    "entityType": "asset",
    "entityId": "asset-1",
    "props": {"path": "/assets/1", "engagementTime": 12.5},
    "attribution": {"utmSource": "google", "referrer": "https://www.google.com/"},
    "context": {"deviceType": "desktop"},
}


def as_line(**changes: Any) -> bytes:
    """A good event as a line, with these fields changed or added."""
    return json.dumps(GOOD_EVENT | changes, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


@pytest.fixture(scope="session")
def line_of() -> Callable[..., bytes]:
    return as_line


@pytest.fixture(scope="session")
def validator() -> LineValidator:
    return LineValidator(landing_date=date(2026, 10, 3), start_date=date(2026, 10, 1))


@pytest.fixture(scope="session")
def accepted(validator: LineValidator) -> Callable[..., dict[str, Any]]:
    """The stored values, by column, of a good event with changes, or of a line."""

    def accept(line: bytes | None = None, **changes: Any) -> dict[str, Any]:
        outcome = validator.validate(as_line(**changes) if line is None else line)
        assert isinstance(outcome, ValidEvent), outcome
        row = dict(zip(CANDIDATE_COLUMN_NAMES, values_of(outcome), strict=True))
        ids = {name: UUID(bytes=row[name]) for name in ("event_id", "session_id") if row[name] is not None}
        return row | ids

    return accept


@pytest.fixture(scope="session")
def rejected(validator: LineValidator) -> Callable[..., RejectedLine]:
    """The rejection of a good event with changes, or of a line."""

    def reject(line: bytes | None = None, **changes: Any) -> RejectedLine:
        outcome = validator.validate(as_line(**changes) if line is None else line)
        assert isinstance(outcome, RejectedLine), outcome
        return outcome

    return reject
