"""Redaction of whole lines: personal data in every place of an event but its ids, and in rejected lines."""

import json
from datetime import date
from random import Random
from typing import Any

import pytest

from ingestion.validation.stored import Accepted
from ingestion.validation.validator import LineValidator, Rejected
from tests.personal_data import MAX_DEPTH, Plant, encoded, plant, survives

DAY = date(2026, 11, 8)
VALIDATOR = LineValidator(landing_date=DAY, start_date=DAY)
TEXTS = ("utmSource", "utmMedium", "utmCampaign", "utmTerm", "utmContent")


def planted_line(rng: Random, planted: Plant, number: int) -> str:
    """Return a line with personal data in a random place."""
    text = encoded(rng, planted.text, rng.randrange(MAX_DEPTH + 1))
    event: dict[str, Any] = {
        "eventType": "page_viewed",
        "occurredAt": f"{DAY}T10:00:00Z",
        "idempotencyKey": f"key-{number}",
        "anonymousId": "device-1",
        "props": {},
        "attribution": {},
    }
    place = rng.randrange(9)
    if place < 3:
        props = ({"title": text}, {"a": {"list": ["x", text]}}, {"message": json.dumps({"level": 1, "text": text})})
        event["props"] = props[place]
    elif place == 3:
        event["props"] = {text: 1}
    elif place == 4:
        event["attribution"][rng.choice(TEXTS)] = text[:255]
    elif place == 5:
        event["attribution"]["referrer"] = f"https://x.example/a?q={text}".replace(" ", "%20")
    elif place == 6:
        event["attribution"]["landingPage"] = f"https://x.example/{text}#top".replace(" ", "%20")
    elif place == 7:
        event["eventType"], event["whatever"] = "No Type", text
    else:
        return json.dumps(event | {"query": text})[:-2]
    return json.dumps(event, ensure_ascii=rng.random() < 0.5)


def stored_text(outcome: Any) -> str:
    """Return what is stored of a line, as one text."""
    if isinstance(outcome, Rejected):
        return outcome.line
    assert isinstance(outcome, Accepted)
    return "\n".join(map(str, outcome.values))


@pytest.mark.parametrize("seed", range(4))
def test_nothing_personal_survives_in_any_place_of_an_event(seed: int) -> None:
    rng = Random(seed)  # noqa: S311
    found = []
    rejected = 0
    for number in range(2_500):
        planted = plant(rng)
        line = planted_line(rng, planted, number)
        outcome = VALIDATOR.validate(line.encode())
        rejected += isinstance(outcome, Rejected)
        if survives(planted.core, stored_text(outcome)):
            found.append((planted.kind, line, stored_text(outcome)))
    assert found == []
    assert 400 < rejected < 1_000
