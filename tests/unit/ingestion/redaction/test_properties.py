"""Redaction of thousands of random texts: nothing personal survives, and what is not personal stays."""

from random import Random

import pytest

from ingestion.redaction import redact_text, redactor
from tests.support.innocent_texts import innocent
from tests.support.personal_data import MAX_DEPTH, encoded, plant, survives

_NOISE = ("\u200b", "\u00a0", "\u00ad", "\u2011", "\u0663", "é", " ", "-", ".", "a", "0")


@pytest.mark.parametrize("depth", range(MAX_DEPTH + 1))
def test_nothing_personal_survives_in_a_text_at_any_depth_of_encoding(depth: int) -> None:
    rng = Random(depth)  # noqa: S311
    found = []
    for _ in range(800):
        planted = plant(rng)
        text = encoded(rng, planted.text, depth)
        redacted = redact_text(text)
        if survives(planted.core, redacted) or redact_text(redacted) != redacted:
            found.append((planted.kind, text, redacted))
    assert found == []


def test_a_planted_secret_would_be_found() -> None:
    rng = Random(7)  # noqa: S311
    for depth in range(MAX_DEPTH + 1):
        planted = plant(rng)
        assert survives(planted.core, encoded(rng, planted.text, depth))


def test_of_ten_thousand_texts_without_personal_data_at_most_ten_are_touched() -> None:
    rng = Random(12)  # noqa: S311
    texts = [innocent(rng) for _ in range(10_000)]
    touched = [text for text in texts if redact_text(text) != text]
    # Ids of 14 to 16 digits that have an issuer's prefix and length, and by chance the check digit of a card.
    assert len(touched) <= 10, touched


def test_the_quick_way_comes_to_the_same_as_the_careful_one(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = Random(9)  # noqa: S311
    texts = []
    for number in range(4_000):
        text = encoded(rng, plant(rng).text, rng.randrange(2)) if number % 2 else innocent(rng)
        for _ in range(rng.randrange(3)):
            at = rng.randrange(len(text) + 1)
            text = text[:at] + rng.choice(_NOISE) + text[at:]
        texts.append(text)
    clean = [text for text in texts if not redactor.may_hold_personal_data(text, has_regions=False)]
    monkeypatch.setattr(redactor, "may_hold_personal_data", lambda *_, **__: True)
    careful = redactor.Redactor(redactor.default_rules())
    assert len(clean) > 300
    assert [text for text in clean if careful.text(text) != text] == []
