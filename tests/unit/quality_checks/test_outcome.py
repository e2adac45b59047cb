"""Outcomes: the values that they may hold, and those that block a publication."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from quality_checks.outcome import CheckOutcome, Finding, Severity, json_row

DAY = date(2026, 10, 1)


@pytest.mark.parametrize(
    ("passed", "severity", "blocks"),
    [
        (True, Severity.ERROR, False),
        (False, Severity.ERROR, True),
        (True, Severity.WARNING, False),
        (False, Severity.WARNING, False),
    ],
)
def test_only_a_failed_error_blocks(passed: bool, severity: Severity, blocks: bool) -> None:
    days = () if passed else (DAY,)
    outcome = CheckOutcome({}, days, name="rule", severity=severity)
    assert (outcome.passed, outcome.blocks) == (passed, blocks)


@pytest.mark.parametrize("value", [Decimal("1.5"), DAY, b"x", {1, 2}])
def test_values_that_json_does_not_know_are_refused(value: object) -> None:
    with pytest.raises(TypeError):
        Finding({"value": value})  # type: ignore[dict-item]
    with pytest.raises(TypeError):
        Finding({}, (DAY,), ({"value": value},))  # type: ignore[dict-item]


def test_not_a_number_is_refused() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        Finding({"value": float("nan")})


def test_a_row_of_a_query_becomes_plain_without_losing_a_cent_or_a_millisecond() -> None:
    row = {
        "sum_of_bigints": Decimal(2**63),
        "engagement_time": Decimal("10000000000000.001"),
        "day": DAY,
        "at": datetime(2026, 10, 1, tzinfo=UTC),
        "id": UUID(int=1),
        "hash": b"\x01\xff",
        "days": [DAY],
        "name": None,
        "is_bot": False,
    }
    assert json.loads(json.dumps(json_row(row))) == {
        "sum_of_bigints": 2**63,
        "engagement_time": "10000000000000.001",
        "day": "2026-10-01",
        "at": "2026-10-01T00:00:00+00:00",
        "id": "00000000-0000-0000-0000-000000000001",
        "hash": "01ff",
        "days": ["2026-10-01"],
        "name": None,
        "is_bot": False,
    }


def test_a_value_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(TypeError, match="object"):
        json_row({"value": object()})
