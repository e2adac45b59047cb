"""Descriptive fields with NUL characters or lone surrogates: dropped and counted, and the event stays."""

import json
from datetime import date
from typing import Any

import pytest

from ingestion.validation.event_record import ValidEvent
from ingestion.validation.notes import Note
from ingestion.validation.unstorable_text import escape_unstorable
from ingestion.validation.validator import LineValidator, NotTracked, RejectedLine

EVENT = {"eventType": "page_viewed", "occurredAt": "2026-10-02T10:00:00Z", "anonymousId": "device-1"}
TEXT = "not a text of at most 255 characters"
VALIDATOR = LineValidator(landing_date=date(2026, 10, 2), start_date=date(2026, 10, 1))


def line(**fields: Any) -> bytes:
    return json.dumps(EVENT | fields).encode()


def validated(**fields: Any) -> ValidEvent | RejectedLine | NotTracked:
    return VALIDATOR.validate(line(**fields))


def accepted(**fields: Any) -> ValidEvent:
    outcome = validated(**fields)
    assert isinstance(outcome, ValidEvent), outcome
    return outcome


@pytest.mark.parametrize("text", ["half \ud83d", "\ude00 other half", "a NUL\0", "\ude00\ud83d"])
@pytest.mark.parametrize(
    ("section", "field", "name", "reason"),
    [
        ("attribution", "utmSource", "utmSource", TEXT),
        ("attribution", "utm_source", "utmSource", TEXT),
        ("attribution", "gclid", "gclid", "not a text of at most 1024 characters"),
        ("context", "browser", "browser", TEXT),
        ("context", "deviceType", "deviceType", TEXT),
        ("props", "userAgent", "userAgent", "not a text"),
    ],
)
def test_an_unstorable_descriptive_field_is_dropped_and_noted(
    text: str, section: str, field: str, name: str, reason: str
) -> None:
    assert accepted(**{section: {field: text}}).notes == (Note("dropped_fields", f"{section}.{name}", reason),)


def test_other_fields_of_the_event_stay() -> None:
    event = accepted(attribution={"utmSource": "news", "utmTerm": "\ud83d"}, props={"revenueCents": 5})
    assert event.attribution is not None
    assert "news" in event.attribution


def test_a_whole_emoji_is_kept() -> None:
    assert accepted(attribution={"utmSource": "party \N{PARTY POPPER}"}).notes == ()


def test_events_that_differ_in_dropped_text_only_are_no_copies() -> None:
    keys = {accepted(attribution={"utmSource": text}).event_key for text in ("a\ud800", "b\ud800", "a\ud801", "a\0")}
    assert len(keys) == 4


def test_a_retry_of_an_event_with_dropped_text_is_a_copy() -> None:
    snake = accepted(attribution={"utm_source": "a\ud800", "utmMedium": "cpc"})
    assert accepted(attribution={"utmMedium": "cpc", "utmSource": "a\ud800"}).event_key == snake.event_key


@pytest.mark.parametrize(
    "fields",
    [
        {"actorId": "\ud83d"},
        {"idempotencyKey": "a\0"},
        {"props": {"title": "\ud83d"}},
        {"props": {"\ud83d": 1}},
        {"attribution": {"\ud83d": 1}},
        {"attribution": {"utmSource": "\ud83d"}, "props": {"title": "a\0"}},
    ],
)
def test_unstorable_text_elsewhere_rejects_the_event(fields: dict[str, Any]) -> None:
    outcome = validated(**fields)
    assert isinstance(outcome, RejectedLine)
    assert all("in a key or a text" in reason for reason in outcome.reasons)


def test_a_dropped_field_is_no_reason_of_a_rejected_line() -> None:
    outcome = validated(attribution={"utmSource": "\ud83d"}, entityId="asset-1")
    assert isinstance(outcome, RejectedLine)
    assert outcome.reasons == ("entityType: missing although entityId is given",)


@pytest.mark.parametrize("refusal", [True, "\ud83d"])
def test_a_person_who_declined_is_not_tracked_whatever_is_unstorable(refusal: object) -> None:
    assert isinstance(validated(attribution={"utmSource": "\ud83d"}, context={"doNotTrack": refusal}), NotTracked)


def test_a_key_that_stands_twice_still_rejects_the_line() -> None:
    twice = line(attribution={"utmSource": "\ud83d"})[:-1] + b',"actorId":"a","actorId":"b"}'
    outcome = VALIDATOR.validate(twice)
    assert isinstance(outcome, RejectedLine)
    assert outcome.reasons == ("line: a key is given twice in one object",)


def test_an_event_without_unstorable_text_is_returned_as_it_is() -> None:
    event = {**EVENT, "attribution": {"utmSource": "news"}, "props": {"title": "\ud83d"}}
    assert escape_unstorable(event) is event
