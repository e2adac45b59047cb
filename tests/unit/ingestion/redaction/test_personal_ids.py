"""Ids that name persons are stored as keyed hashes, and meet."""

# ruff: noqa: E501, RUF001 - a case a line reads better; other scripts are what is tested

import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from ingestion.application.source import hash_email
from ingestion.redaction.personal_ids import hashed_id, hashed_key
from ingestion.validation.event_record import ValidEvent
from ingestion.validation.notes import Note
from ingestion.validation.validator import LineValidator, RejectedLine
from ingestion.validation_lists import default_rules
from tests.support.stored_values import values_of

DAY = date(2026, 11, 8)
KEY = b"key-of-the-tests-only"
VALIDATOR = LineValidator(landing_date=DAY, start_date=DAY, rules=replace(default_rules(), hash_key=KEY))
ADDRESS = "Ana.Maria@example.org"
HASH = hash_email(ADDRESS, KEY)


def accepted(**fields: Any) -> ValidEvent:
    event = {"eventType": "page_viewed", "occurredAt": f"{DAY}T10:00:00Z", "idempotencyKey": "k1"} | fields
    outcome = VALIDATOR.validate(json.dumps(event).encode())
    assert isinstance(outcome, ValidEvent)
    return outcome


@pytest.mark.parametrize(
    "sent",
    [
        ADDRESS,
        "ana.maria@example.org",
        "ana.maria%40example.org",
        "mailto:ana.maria@example.org",
        "ana.maria＠example.org",
        "ana.maria﹫example.org",
        "ana.maria&#64;example.org",
        "ana.maria&commat;example.org",
        "ana.maria\\u0040example.org",
        "\u200bana.maria@example.org",
    ],
)
def test_an_address_as_an_id_is_stored_as_the_hash_that_users_have(sent: str) -> None:
    event = accepted(actorId=sent, anonymousId=sent, entityType="user", entityId=sent)
    assert (event.actor_id, event.anonymous_id, event.entity_id) == (HASH, HASH, HASH)


def test_an_address_names_the_asset_that_its_entity_is() -> None:
    event = accepted(entityType="asset", entityId=ADDRESS)
    assert event.entity_id == event.ip_asset_id == HASH


@pytest.mark.parametrize(
    "sent",
    [
        "+49 151 23456789",
        "004915123456789",
        "+49-151-23456789",
        "%2B4915123456789",
        "tel:+49-151-23456789",
        "＋4915123456789",
        "&#43;4915123456789",
        "+٤٩١٥١٢٣٤٥٦٧٨٩",
    ],
)
def test_a_phone_number_as_an_id_has_one_hash_however_it_is_punctuated(sent: str) -> None:
    assert accepted(anonymousId=sent).anonymous_id == hashed_id("+4915123456789", KEY)


def test_numbers_of_assets_may_begin_with_zeros() -> None:
    event = accepted(ipAssetId="004915123456789", projectId="+4915123456789", idempotencyKey="004915123456789")
    assert event.ip_asset_id == event.event_key == "004915123456789"
    assert event.project_id == hashed_id("+4915123456789", KEY)


def test_hashed_ids_are_counted_by_field() -> None:
    event = accepted(actorId=ADDRESS, anonymousId="+4915123456789", projectId="p-1")
    assert event.notes == (Note("hashed_ids", "actorId"), Note("hashed_ids", "anonymousId"))
    assert accepted(actorId="u-1", attribution={"referrer": "https://x.example/@jane"}).notes == ()


def test_events_whose_key_is_an_address_still_meet_their_retries_and_no_others() -> None:
    first, retry, other = (accepted(idempotencyKey=key) for key in (ADDRESS, ADDRESS, ADDRESS.lower()))
    assert first.event_key == retry.event_key == hashed_key(ADDRESS, KEY)
    assert first.event_id == retry.event_id != other.event_id
    assert accepted(idempotencyKey=None, eventId=ADDRESS).event_key == first.event_key
    assert ADDRESS not in str(values_of(first))


def test_an_address_inside_an_id_is_hashed_with_all_of_it() -> None:
    assert hashed_id("order-1:ana@example.org", KEY) != hashed_id("order-2:ana@example.org", KEY)


def test_a_hash_is_no_address_any_more() -> None:
    assert HASH is not None
    assert hashed_id(HASH, KEY) is None


@pytest.mark.parametrize(
    "sent",
    ["u-1", "4915123456789", "0012345", "9b1d0f5e-4d1c-4c52-8f33-2c0b5ad7f1aa", "a:b", "user@host", "0x00ff", "+1", "4111111111111111", "café-1", "a&b", "AbC+12/x4915123456789==", "größe&#", "ＡＢＣ１"],
)  # fmt: skip
def test_other_ids_stay_as_they_were_sent(sent: str) -> None:
    event = accepted(actorId=sent, anonymousId=sent, idempotencyKey=sent, projectId=sent)
    assert {event.actor_id, event.anonymous_id, event.event_key, event.project_id} == {sent}


def test_rejected_lines_hide_ids_that_name_persons() -> None:
    line = json.dumps({"eventType": "No Type", "actorId": ADDRESS, "anonymousId": "+4915123456789", "projectId": "p-1"})
    outcome = VALIDATOR.validate(line.encode())
    assert isinstance(outcome, RejectedLine)
    assert outcome.line == '{"eventType":"No Type","actorId":"[redacted]","anonymousId":"[redacted]","projectId":"p-1"}'
