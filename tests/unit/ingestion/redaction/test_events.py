"""Redaction of whole lines: personal data in every place of an event but its ids, and in rejected lines."""

from datetime import date
from random import Random
from typing import Any

import pytest

from ingestion.validation.event_record import ValidEvent
from ingestion.validation.validator import LineValidator, RejectedLine
from tests.support.personal_data import plant, planted_line, survives
from tests.support.stored_values import values_of

DAY = date(2026, 11, 8)
VALIDATOR = LineValidator(landing_date=DAY, start_date=DAY)


def stored_text(outcome: Any) -> str:
    """Return what is stored of a line, as one text."""
    if isinstance(outcome, RejectedLine):
        return outcome.line
    assert isinstance(outcome, ValidEvent)
    return "\n".join(map(str, values_of(outcome)))


@pytest.mark.parametrize("seed", range(4))
def test_nothing_personal_survives_in_any_place_of_an_event(seed: int) -> None:
    rng = Random(seed)  # noqa: S311
    found = []
    rejected = 0
    for number in range(2_500):
        planted = plant(rng)
        line = planted_line(rng, planted, number, DAY)
        outcome = VALIDATOR.validate(line.encode())
        rejected += isinstance(outcome, RejectedLine)
        if survives(planted.core, stored_text(outcome)):
            found.append((planted.kind, line, stored_text(outcome)))
    assert found == []
    assert 400 < rejected < 1_000
