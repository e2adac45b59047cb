"""Accepted lines, their stored form and their keys."""

import json
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from ingestion.landing.lines import EventArray
from ingestion.landing.objects import Oversized
from ingestion.validation.validator import LineValidator, RejectedLine

VALIDATOR = LineValidator(landing_date=date(2026, 10, 3), start_date=date(2026, 10, 1))
PRIVATE = ("jane@example.com", "10.1.2.3", "+49 151 23456789", "Mozilla/5.0")


def to_snake(value):
    if isinstance(value, dict):
        return {re.sub("[A-Z]", lambda m: f"_{m[0].lower()}", key): to_snake(inner) for key, inner in value.items()}
    return value


def as_json(event) -> bytes:
    return json.dumps(event, separators=(",", ":")).encode()


def test_an_event_is_stored_in_the_columns_of_the_schema(accepted):
    row = accepted()
    assert row["event_date"] == date(2026, 10, 3)
    assert row["event_key"] == "key-1"
    assert row["event_type"] == "asset_viewed"
    assert row["occurred_at"] == datetime(2026, 10, 3, 14, 22, 31, 123_000, UTC)
    assert row["received_at"] == datetime(2026, 10, 3, 14, 22, 32, tzinfo=UTC)
    assert (row["actor_id"], row["anonymous_id"]) == ("user-1", "device-1")
    assert row["session_id"] == UUID("1b4e28ba-2fa1-41d2-883f-0016d3cca427")
    assert (row["entity_type"], row["entity_id"], row["ip_asset_id"]) == ("asset", "asset-1", "asset-1")
    assert row["engagement_time"] == Decimal("12.500")
    assert json.loads(row["props"]) == {"path": "/assets/1", "engagementTime": 12.5}
    assert (row["utm_source"], row["referrer"]) == ("google", "https://www.google.com/")
    assert (row["device_type"], row["is_bot"]) == ("desktop", False)
    assert len(row["canonical_hash"]) == 32


def test_the_smallest_event_has_defaults_and_nothing_else(accepted):
    row = accepted(b'{"eventType":"page_viewed","occurredAt":"2026-10-03T00:00:00Z"}')
    given_values = {name: value for name, value in row.items() if value is not None}
    assert given_values == {
        "event_date": date(2026, 10, 3),
        "event_key": row["canonical_hash"].hex(),
        "event_id": row["event_id"],
        "event_type": "page_viewed",
        "occurred_at": datetime(2026, 10, 3, tzinfo=UTC),
        "received_at": datetime(2026, 10, 4, tzinfo=UTC),
        "source": "web",
        "props": "{}",
        "is_bot": False,
        "canonical_hash": row["canonical_hash"],
    }


@pytest.mark.parametrize(
    ("text", "day", "moment"),
    [
        ("2026-10-03T00:00:00Z", 3, "2026-10-03T00:00:00+00:00"),
        ("2026-10-02T23:59:59.999999Z", 2, "2026-10-02T23:59:59.999999+00:00"),
        ("2026-10-02T23:59:59.9999999Z", 2, "2026-10-02T23:59:59.999999+00:00"),
        ("2026-10-03T01:30:00+02:00", 2, "2026-10-02T23:30:00+00:00"),
        ("2026-10-02T23:30:00-0100", 3, "2026-10-03T00:30:00+00:00"),
        ("2026-10-03 05:45:00,5+05:45", 3, "2026-10-03T00:00:00.500000+00:00"),
        ("2026-10-03t10:00z", 3, "2026-10-03T10:00:00+00:00"),
        ("2026-10-01T00:00:00-00", 1, "2026-10-01T00:00:00+00:00"),
    ],
)
def test_an_event_belongs_to_the_utc_day_it_occurred_on(accepted, text, day, moment):
    row = accepted(occurredAt=text)
    assert row["event_date"] == date(2026, 10, day)
    assert row["occurred_at"].isoformat() == moment
    assert row["occurred_at"].tzinfo is UTC


def test_clocks_may_be_24_hours_ahead_and_no_more(accepted):
    assert accepted(occurredAt="2026-10-04T14:22:32Z")["event_date"] == date(2026, 10, 4)
    assert accepted(occurredAt="2026-10-05T00:00:00Z", receivedAt=None)["event_date"] == date(2026, 10, 5)
    assert accepted(receivedAt="2026-10-05T00:00:00Z")["received_at"] == datetime(2026, 10, 5, tzinfo=UTC)


def test_the_key_is_the_idempotency_key_else_the_event_id_else_the_canonical_hash(accepted):
    assert accepted(eventId="e-1")["event_key"] == "key-1"
    assert accepted(eventId="e-1", idempotencyKey=None)["event_key"] == "e-1"
    assert accepted(eventId="e-1", idempotencyKey="")["event_key"] == "e-1"
    row = accepted(idempotencyKey=None)
    assert row["event_key"] == row["canonical_hash"].hex()


def test_the_event_id_identifies_the_day_and_the_key(accepted):
    first = accepted()["event_id"]
    assert accepted(actorId="user-2")["event_id"] == first
    assert accepted(idempotencyKey="key-2")["event_id"] != first
    assert accepted(occurredAt="2026-10-02T14:22:31Z")["event_id"] != first
    assert (first.version, first.variant) == (8, "specified in RFC 4122")
    assert first == UUID("381b7254-15b9-8df7-8f0c-84b0e65e4d80")


def test_the_canonical_hash_holds_all_that_was_sent_and_only_that(accepted):
    original = accepted()["canonical_hash"]
    assert accepted(unknownField=1)["canonical_hash"] != original
    assert accepted(source="web")["canonical_hash"] != original
    assert (
        accepted(props={"path": "/assets/1", "engagementTime": 12.5, "email": "a@b.co"})["canonical_hash"]
        != (accepted(props={"path": "/assets/1", "engagementTime": 12.5, "email": "b@b.co"})["canonical_hash"])
    )


def test_snake_case_keys_give_an_equal_event(accepted, line_of):
    changes = {
        "props": {"revenueCents": 5, "feeCents": 1, "engagementTime": 2, "resultsCount": 3, "own_key": 1},
        "attribution": {"utmSource": "x", "landingPage": "https://x.example/"},
        "context": {"deviceType": "tv", "ipAddress": "10.1.2.3", "doNotTrack": False},
    }
    camel = accepted(**changes)
    assert accepted(as_json(to_snake(json.loads(line_of(**changes))))) == camel
    assert camel["revenue_cents"] == 5


def test_both_forms_of_a_key_with_one_value_are_one_field(accepted):
    assert accepted(actor_id="user-1") == accepted()
    assert accepted(actor_id=None) == accepted()
    assert accepted(actorId=None, actor_id="user-1") == accepted()


def test_null_and_empty_texts_are_absent(accepted):
    names = ("eventId", "receivedAt", "actorId", "actorType", "sessionId", "source", "ipAssetId", "licenseId")
    missing = accepted(**dict.fromkeys(names, None))
    for empty in (dict.fromkeys(names, ""), dict.fromkeys(names, None)):
        row = accepted(**empty, props=None, attribution={"referrer": "", "utmTerm": "", "gclid": ""}, context=None)
        assert [
            row[name] for name in ("event_key", "received_at", "actor_id", "session_id", "source", "license_id")
        ] == (
            [missing[name] for name in ("event_key", "received_at", "actor_id", "session_id", "source", "license_id")]
        )
        assert (row["referrer"], row["utm_term"], row["gclid"], row["props"]) == (None, None, None, "{}")


@pytest.mark.parametrize("name", ["revenueCents", "feeCents", "engagementTime", "userAgent"])
def test_an_empty_known_prop_is_absent(accepted, name):
    row = accepted(props={name: "", "x": 1})
    assert (row["revenue_cents"], row["fee_cents"], row["engagement_time"]) == (None, None, None)
    assert json.loads(row["props"])["x"] == 1


@pytest.mark.parametrize(
    ("entity_type", "column"), [("ASSET", "ip_asset_id"), ("Project", "project_id"), ("license", "license_id")]
)
def test_an_entity_fills_the_id_of_its_type_unless_that_is_given(accepted, entity_type, column):
    camel = {"ip_asset_id": "ipAssetId", "project_id": "projectId", "license_id": "licenseId"}[column]
    row = accepted(entityType=entity_type, entityId="e-9")
    assert (row["entity_type"], row[column]) == (entity_type.lower(), "e-9")
    assert accepted(entityType=entity_type, entityId="e-9", **{camel: "given"})[column] == "given"


def test_other_entities_fill_nothing_and_a_type_needs_no_id(accepted):
    row = accepted(entityType="Creator", entityId="c-1")
    assert (row["ip_asset_id"], row["project_id"], row["license_id"]) == (None, None, None)
    assert accepted(entityType="asset", entityId=None)["ip_asset_id"] is None
    assert accepted(actorId=None, actorType="creator")["actor_type"] == "creator"


@pytest.mark.parametrize(
    ("seconds", "stored"),
    [
        (0, "0.000"),
        (-0.0, "0.000"),
        (0.0005, "0.001"),
        (1.0015, "1.002"),
        (2.6745, "2.675"),
        (0.00049, "0.000"),
        (7, "7.000"),
        (1_000_000_000, "1000000000.000"),
    ],
)
def test_engagement_time_has_three_decimals_rounded_half_away_from_zero(accepted, seconds, stored):
    assert str(accepted(props={"engagementTime": seconds})["engagement_time"]) == stored


def test_an_amount_may_be_10_to_the_12th_cents(accepted):
    row = accepted(props={"revenueCents": 10**12, "feeCents": 0})
    assert (row["revenue_cents"], row["fee_cents"]) == (10**12, 0)


def test_props_may_have_10240_bytes_and_three_levels(accepted):
    assert accepted(props={"x": "é" * 5116})["props"] == '{"x":"' + "é" * 5116 + '"}'
    assert json.loads(accepted(props={"a": {"b": {"c": 1}}, "d": [[1]]})["props"]) == {"a": {"b": {"c": 1}}, "d": [[1]]}


def test_numbers_that_every_engine_can_hold_are_kept(accepted):
    numbers = [2**63 - 1, -(2**63), 1e38, -1e38, 5e-324, 0.1, -0.0]
    assert json.loads(accepted(props={"n": numbers})["props"]) == {"n": numbers}


@pytest.mark.parametrize(
    "text", ["'; drop table raw.events; --", "\\copy", "\\.", "a\tb", "\\u0000", "\\\\u0000", "😀", "{}"]
)
def test_any_harmless_text_is_stored_as_it_is(accepted, text):
    row = accepted(actorId=text, props={"note": text, text: 1}, attribution={"utmTerm": text})
    assert (row["actor_id"], row["utm_term"]) == (text, text)
    assert json.loads(row["props"]) == {"note": text, text: 1}


def test_keys_that_only_look_alike_are_not_twice(accepted):
    line = b'{"eventType":"page_viewed","occurredAt":"2026-10-03T00:00:00Z","props":{"a":":","b" : " :","A":{"a":1}}}'
    assert json.loads(accepted(line)["props"]) == {"a": ":", "b": " :", "A": {"a": 1}}


def test_given_device_fields_win_over_the_user_agent(accepted):
    agent = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Version/17.0 Mobile/15E148 Safari/604.1"
    row = accepted(context={"userAgent": agent})
    assert (row["device_type"], row["browser"], row["os"]) == ("mobile", "Mobile Safari", "iOS")
    row = accepted(context={"userAgent": agent, "deviceType": "tablet", "browser": "Own", "os": ""})
    assert (row["device_type"], row["browser"], row["os"]) == ("tablet", "Own", "iOS")


def test_a_user_agent_in_props_is_parsed_and_dropped(accepted):
    for key in ("userAgent", "user_agent"):
        row = accepted(context=None, props={key: "curl/8.0", "x": 1})
        assert (row["is_bot"], row["device_type"], row["props"]) == (True, "bot", '{"x":1}')


def test_no_personal_data_is_among_the_stored_values(accepted):
    jane, address, phone, agent = PRIVATE
    row = accepted(
        props={
            "ip": address,
            "ipAddress": address,
            "userAgent": agent,
            "note": f"write to {jane}, {phone}",
            "deep": {"email": jane, "list": [f"call {phone}"]},
        },
        attribution={
            "utmSource": jane,
            "referrer": f"https://x.example/?u={jane}",
            "landingPage": "https://x.example/?token=t0ps3cret",
        },
        context={"userAgent": agent, "ipAddress": address},
    )
    stored = " ".join(map(str, row.values()))
    assert [text for text in (*PRIVATE, "t0ps3cret") if text in stored] == []
    assert json.loads(row["props"]) == {
        "note": "write to [redacted], [redacted]",
        "deep": {"email": "[redacted]", "list": ["call [redacted]"]},
    }


def test_an_oversized_line_is_rejected_with_its_head_and_its_length(validator):
    outcome = validator.reject_unparsed(Oversized(b'{"email":"jane@example.com","x":"xxx', 52_428_800))
    assert outcome == RejectedLine('{"email":[redacted],"x":"xxx', 52_428_800, ("line: longer than 1048576 bytes",))


def test_an_array_of_events_over_many_lines_is_one_rejection_that_names_the_fix(validator):
    outcome = validator.reject_unparsed(EventArray(b'[\n {"eventType": "asset_viewed"},\n', 9_000))
    assert outcome.reasons == ("line: an array of events; write one event per line (NDJSON)",)
    assert outcome.line_bytes == 9_000
