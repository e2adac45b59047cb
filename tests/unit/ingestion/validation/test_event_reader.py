"""Fields of valid events that are dropped or count as absent, and the notes on them."""

# ruff: noqa: E501 - a case a line reads better than one in five

import json
from datetime import date
from typing import Any

import pytest

from ingestion.contract import ID_FIELDS
from ingestion.validation.event_record import ValidEvent
from ingestion.validation.notes import Note, counts_of, notes_of
from ingestion.validation.validator import LineValidator, RejectedLine
from ingestion.validation_lists import EventRules, default_rules
from tests.unit.ingestion.conftest import GOOD_EVENT, as_line

URL = "not a URL (scheme://...) of at most 8192 characters, or empty; http(s) with a host"
UTM = "not a text of at most 255 characters"
NIL = "00000000-0000-0000-0000-000000000000"
COLUMNS = {
    "idempotencyKey": "event_key", "actorId": "actor_id", "anonymousId": "anonymous_id", "entityId": "entity_id",
    "ipAssetId": "ip_asset_id", "projectId": "project_id", "licenseId": "license_id", "sessionId": "session_id",
}  # fmt: skip


@pytest.fixture
def read(validator, accepted):
    """The stored values and the notes of a good event with changes."""

    def accept(**changes: Any) -> tuple[dict[str, Any], list[tuple[str, ...]]]:
        line = as_line(**changes)
        outcome = validator.validate(line)
        assert isinstance(outcome, ValidEvent), outcome
        return accepted(line), [tuple(filter(None, note)) for note in outcome.notes]

    return accept


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        *(
            ({"attribution": {name: value}}, f"attribution.{name}", reason)
            for name in ("referrer", "landingPage")
            for value in ("google.com", "/assets/1", "about:blank", "javascript:alert(1)", "https://", "http:///x",
                          "HTTP://", "capacitor://", "://x", " https://x.example", "\n", 5, ["x"],
                          "https://x.example/" + "x" * 8192)
            for reason in (URL,)
        ),
        *(
            ({"attribution": {name: value}}, f"attribution.{name}", UTM)
            for name in ("utmSource", "utmMedium", "utmCampaign", "utmTerm", "utmContent")
            for value in ("x" * 256, 5, True, ["x"])
        ),
        ({"attribution": {"gclid": "x" * 1025}}, "attribution.gclid", "not a text of at most 1024 characters"),
        ({"attribution": {"utm_term": "a", "utmTerm": "b"}}, "attribution.utmTerm", "given twice with different values, also as utm_term"),
        ({"context": {"deviceType": 5}}, "context.deviceType", UTM),
        ({"context": {"browser": "x" * 256}}, "context.browser", UTM),
        ({"context": {"os": {}}}, "context.os", UTM),
        ({"context": {"userAgent": 5}}, "context.userAgent", "not a text"),
        ({"props": {"userAgent": 5}}, "props.userAgent", "not a text"),
        ({"sessionId": "s-1"}, "sessionId", "not a UUID"),
        ({"sessionId": GOOD_EVENT["sessionId"][:-1]}, "sessionId", "not a UUID"),
        ({"sessionId": 7}, "sessionId", "not a UUID"),
        *(
            ({section: value}, section, "not an object")
            for section in ("props", "attribution", "context")
            for value in ("{}", "google", [], [1], 5, True, 0, False)
        ),
        ({"actor_id": "user-2"}, "actorId", "given twice with different values, also as actor_id"),
        ({"received_at": "2026-10-03T15:00:00Z"}, "receivedAt", "given twice with different values, also as received_at"),
        ({"props": {"revenueCents": 1, "revenue_cents": 2}}, "props.revenueCents", "given twice with different values, also as revenue_cents"),
        ({"props": {"feeCents": 1, "fee_cents": True}}, "props.feeCents", "given twice with different values, also as fee_cents"),
    ],
    ids=lambda value: repr(value)[:70],
)  # fmt: skip
def test_a_descriptive_field_that_breaks_its_rule_is_dropped_and_the_event_stays(read, changes, field, reason):
    row, notes = read(**changes)
    assert notes == [("dropped_fields", field, reason)]
    assert row["event_key"] == "key-1"


def test_dropped_fields_are_not_stored_and_their_neighbours_are(read):
    row, _ = read(
        attribution={"referrer": "about:blank", "utmSource": "letter"},
        context={"deviceType": 5, "os": "iOS"},
        props={"revenueCents": 1, "revenue_cents": 2, "feeCents": 3, "path": "/a"},
    )
    assert (row["referrer"], row["utm_source"], row["device_type"], row["os"]) == (None, "letter", None, "iOS")
    assert (row["revenue_cents"], row["fee_cents"], json.loads(row["props"])) == (
        None,
        3,
        {"feeCents": 3, "path": "/a"},
    )
    row, _ = read(props=[1])
    assert (row["props"], row["utm_source"]) == ("{}", "google")
    row, _ = read(sessionId="s-1", actor_id="user-2", received_at="2026-10-03T15:00:00Z")
    assert (row["session_id"], row["actor_id"], row["anonymous_id"]) == (None, None, "device-1")


@pytest.mark.parametrize(
    "url",
    ["", "https://x.example", "HTTP://x.example/", "android-app://com.example/", "ios-app://1/", "capacitor://localhost/",
     "ionic://localhost", "file:///android_asset/www/index.html", "tauri://localhost/a?b=c", "chrome-extension://abc/x.html",
     "App+x-1.2://y"],
)  # fmt: skip
def test_a_url_of_any_scheme_is_kept(read, url):
    row, notes = read(attribution={"referrer": url, "landingPage": url})
    assert notes == []
    assert (row["referrer"], row["landing_page"]) == (url or None, url or None)


def test_a_field_that_was_dropped_counts_in_the_derived_key(validator):
    keys = set()
    for changes in ({}, {"attribution": {"referrer": "about:blank"}}, {"attribution": {"referrer": "about:config"}},
                    {"anonymousId": "undefined"}, {"anonymousId": "null"}, {"actor_id": "user-2"}, {"actor_id": "user-3"},
                    {"props": "x"}, {"props": "y"}, {"idempotencyKey": "null"}):  # fmt: skip
        outcome = validator.validate(as_line(**{"idempotencyKey": None} | changes))
        assert isinstance(outcome, ValidEvent)
        assert outcome.event_key == outcome.canonical_hash.hex()
        keys.add(outcome.event_key)
    assert len(keys) == 10


def test_a_derived_key_does_not_depend_on_the_list_of_placeholders():
    lists = (frozenset(), frozenset({"undefined"}), frozenset({"device-1", "user-1"}))
    validators = [
        LineValidator(
            landing_date=date(2026, 10, 3), start_date=date(2026, 10, 1), rules=EventRules(placeholder_ids=texts)
        )
        for texts in lists
    ]
    outcomes = [validator.validate(as_line(idempotencyKey=None, eventId="Undefined")) for validator in validators]
    assert [outcome.event_key == "Undefined" for outcome in outcomes] == [True, False, True]
    hashes = {validator.validate(as_line(idempotencyKey=None)).event_key for validator in validators}
    assert len(hashes) == 1


@pytest.mark.parametrize("text", sorted(default_rules().placeholder_ids))
@pytest.mark.parametrize("name", [*ID_FIELDS, "sessionId"])
def test_an_id_that_is_a_placeholder_is_absent_and_counted(read, name, text):
    for form in (text, text.upper(), text.title(), f" {text}\u00a0"):
        row, notes = read(**{"entityId": None, "entityType": None, "idempotencyKey": "key-1"} | {name: form})
        assert notes == [("placeholder_ids", name)], form
        if name == "idempotencyKey":
            assert row["event_key"] == row["canonical_hash"].hex()
        elif name in COLUMNS:
            assert row[COLUMNS[name]] is None


def test_numbers_that_stand_for_no_id_are_placeholders(read, validator):
    for number in (0, -1, 0.0, -1.0):
        assert read(anonymousId=number)[1] == [("placeholder_ids", "anonymousId")]
    for number in (1, 7, -2, 0.5, True, False, [], 10**30):
        assert isinstance(validator.validate(as_line(anonymousId=number)), RejectedLine), number


@pytest.mark.parametrize("form", [NIL, NIL.replace("-", ""), f" {NIL} "])
def test_the_nil_session_is_no_session_in_any_form(read, form):
    row, notes = read(sessionId=form)
    assert (row["session_id"], notes) == (None, [("placeholder_ids", "sessionId")])


def test_an_entity_whose_id_is_a_placeholder_needs_no_type(read, validator):
    row, _ = read(entityId="undefined", entityType=None)
    assert (row["entity_type"], row["entity_id"]) == (None, None)
    row, _ = read(entityId="entity-1", ipAssetId="null")
    assert (row["entity_id"], row["ip_asset_id"]) == ("entity-1", "entity-1")
    assert isinstance(validator.validate(as_line(entityType=None)), RejectedLine)


def test_ids_lose_the_blanks_around_them_and_nothing_else(read):
    for name in COLUMNS.keys() - {"sessionId"}:
        row, notes = read(**{name: "\u00a0 Ab-C undefined \t"})
        assert (row[COLUMNS[name]], notes) == ("Ab-C undefined", [])
    row, notes = read(actorId=" \u2003", entityId="  ", entityType=None, eventId=" ")
    assert (row["actor_id"], row["entity_id"], notes) == (None, None, [])
    assert read(anonymousId="xundefined")[0]["anonymous_id"] == "xundefined"


@pytest.mark.parametrize("name", ["revenueCents", "feeCents"])
@pytest.mark.parametrize(
    ("form", "cents"),
    [("129900.0", 129_900), ("1.299e5", 129_900), ("1299E+2", 129_900), ("0.0", 0), ("-0.0", 0), ("1e12", 10**12)],
)
def test_a_number_without_a_fraction_is_whole(validator, name, form, cents):
    for key in (name, name.replace("Cents", "_cents")):
        line = as_line(props={}).replace(b'"props":{}', b'"props":{"%s":%s}' % (key.encode(), form.encode()))
        outcome = validator.validate(line)
        assert isinstance(outcome, ValidEvent), outcome
        assert outcome.notes == ()
        stored = outcome.revenue_cents if name == "revenueCents" else outcome.fee_cents
        assert (stored, type(stored)) == (cents, int)


@pytest.mark.parametrize("form", ["129900.5", '"129900"', "NaN", "-1.0", "1e12.0", "1000000000001.0", "1e-1", "true"])
def test_an_amount_that_is_not_whole_is_rejected(validator, form):
    line = as_line(props={}).replace(b'"props":{}', b'"props":{"revenueCents":%s}' % form.encode())
    assert isinstance(validator.validate(line), RejectedLine)


def test_a_number_is_equal_in_all_of_its_forms(validator):
    for form in (b"1e20", b"100000000000000000000", b"18446744073709551616", b"1e38", b"9" * 37):
        line = as_line(props={}).replace(b'"props":{}', b'"props":{"n":%s}' % form)
        outcome = validator.validate(line)
        assert isinstance(outcome, ValidEvent), form
        assert outcome.props == b'{"n":%s}' % form


def test_counts_of_notes_are_kept_by_field_and_reason():
    notes = {Note("dropped_fields", "sessionId", "not a UUID"): 2, Note("dropped_fields", "sessionId", "other"): 1,
             Note("placeholder_ids", "actorId"): 3}  # fmt: skip
    counts = counts_of(notes)
    assert counts == {
        "dropped_fields": {"sessionId": {"not a UUID": 2, "other": 1}},
        "placeholder_ids": {"actorId": 3},
        "hashed_ids": {},
    }
    assert notes_of(counts.items()) == notes
