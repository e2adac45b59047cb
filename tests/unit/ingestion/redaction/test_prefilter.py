"""Texts with and without personal data."""

# ruff: noqa: E501 - a case a line reads better than one in five

import json
from dataclasses import replace

import pytest

from ingestion.redaction import default_redactor, redact_text, redactor_for
from ingestion.validation_lists import default_rules

REDACTOR = default_redactor()


@pytest.mark.parametrize(
    "text",
    ["jane@example.com", "Jane.O'Neil+tag@mail.example.co.uk", "jane%40example.com", "jane%2Btag%40example.com", "jörg@müller.example",
     "+4915123456789", "+49 151 23456789", "+49 (0) 151 / 234-56789", "+1 (555) 123-4567", "%2B4915123456789",
     "004915123456789", "00 49 151 23456789", "+44\u00a020\u00a07946\u00a00958"],
)  # fmt: skip
def test_addresses_and_numbers_are_redacted_inside_texts(text):
    assert redact_text(text) == "[redacted]"
    assert redact_text(f"call {text}, or not") == "call [redacted], or not"
    assert redact_text(f"a\n{text}\tb") == "a\n[redacted]\tb"


@pytest.mark.parametrize(
    "text",
    ["(202) 555-0143", "(202)555-0143", "202-555-0143", "202.555.0143", "1-800-555-1234", "0151 23456789", "030/1234567", "(030) 123 456",
     "01 23 45 67 89", "020 7946 0958"],
)  # fmt: skip
def test_national_forms_of_phone_numbers_are_redacted_for_the_regions_of_the_settings(text):
    redactor = redactor_for(replace(default_rules(), phone_regions=frozenset({"DE", "FR", "GB", "US"})))
    assert "".join(filter(str.isdigit, redactor.text(f"call {text}, or not"))) == ""
    assert not redactor.is_clean_text(f'"call {text}, or not"'.encode(), 0)
    assert redact_text(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "2026-2027",
        "20262027",
        "2026-11-27",
        "27.11.2026",
        "12.5",
        "100-200",
        "4915123456789",
        "1791037351123",
        "id 2025550143",
    ],
)
def test_national_forms_are_no_dates_ranges_and_ids(text):
    redactor = redactor_for(replace(default_rules(), phone_regions=frozenset({"DE", "FR", "GB", "US"})))
    assert redactor.text(f"see {text}.") == f"see {text}."


@pytest.mark.parametrize(
    "text",
    ["4915123456789", "1791037351123", "20261003", "2026-10-03", "2026-10-03T14:22:31.123+02:00", "2026-10-03 14:22:31 +0200",
     "01-10-2026 10:00", "01/10/2026", "1b4e28ba-2fa1-41d2-883f-0016d3cca427", "12345678-1234-1234-1234-123456789012", "12.5", "-0.125",
     "1,234,567.89", "1.234.567", "100-200", "v1.2.3.4", "10:00-12:00", "Blue whale 3", "asset_00042", "a@b", "@jane", "react@18.2.0",
     "5e+12", "1+1", "x=1&y=2", "50 % of 100 000", "978-3-16-148410-0", "ISO 8601", "", "😀"],
)  # fmt: skip
def test_other_texts_and_numbers_are_left_alone(text):
    assert redact_text(text) == text
    assert redact_text(f"see {text}.") == f"see {text}."


@pytest.mark.parametrize(
    "key",
    ["email", "EMAIL", "userEmail", "user_email", "email-address", "useremail", "phone", "Phone", "phoneNumber", "contact_phone", "password",
     "oldPassword", "PASSWORD_HASH", "token", "accessToken", "refresh_token", "secret", "client_secret", "Authorization", "cookie", "apiKey"],
)  # fmt: skip
def test_values_under_personal_keys_are_redacted_in_any_spelling(key):
    assert REDACTOR.value({key: "x"}) == {key: "[redacted]"}
    assert REDACTOR.value({"a": [{key: {"deep": 1}}]}) == {"a": [{key: "[redacted]"}]}
    assert REDACTOR.value({key: 4915123456789}) == {key: "[redacted]"}
    assert REDACTOR.value({key: True, "x": None}) == {key: True, "x": None}


@pytest.mark.parametrize(
    "key",
    [
        "headphones",
        "microphone",
        "tokenizer",
        "path",
        "title",
        "ipAssetId",
        "ip_asset_id",
        "tip",
        "recipe",
        "monkey",
        "revenueCents",
    ],
)
def test_keys_that_only_look_personal_are_free(key):
    assert REDACTOR.value({key: "value"}) == {key: "value"}


@pytest.mark.parametrize(
    "key",
    ["ip", "IP", "ipAddress", "ip_address", "clientIp", "x-forwarded-for", "remote_addr", "userAgent", "user_agent"],
)
def test_addresses_and_user_agents_are_dropped_at_any_depth(key):
    assert REDACTOR.value({key: "10.1.2.3", "a": {key: "::1"}, "b": [{key: 5}]}) == {"a": {}, "b": [{}]}


def test_a_key_that_may_mean_intellectual_property_is_dropped_only_with_an_address():
    assert REDACTOR.value({"creatorIp": "Blue whale", "serverIp": "10.1.2.3", "edgeIp": ["x", "::1"]}) == {
        "creatorIp": "Blue whale"
    }


def test_personal_parameters_of_urls_are_redacted():
    url = "https://x.example/a?utm_source=google&email=jane&token=t0p#access_token=abc&page=2"
    assert redact_text(url) == (
        "https://x.example/a?utm_source=google&email=[redacted]&token=[redacted]#access_token=[redacted]&page=2"
    )


def test_an_address_as_a_key_is_redacted():
    assert REDACTOR.value({"jane@example.com": 1}) == {"[redacted]": 1}


@pytest.mark.parametrize(
    "props",
    [{"email": 1}, {"ip": 1}, {"a": {"email": "x"}}, {"a": "jane@example.com"}, {"a": "line\n+49 151 23456789"}, {"a": "0049 151 23456789"},
     {"a": "4111111111111111"}, {"a": "203.0.113.9"}, {"a": "%2B4915123456789"}, {"a": "/p?token=x"}, {"jane@example.com": 1}],
)  # fmt: skip
def test_props_with_personal_data_are_never_taken_for_clean(props):
    assert REDACTOR.value(props) != props
    assert not REDACTOR.is_clean(props, json.dumps(props, ensure_ascii=False, separators=(",", ":")).encode())


def test_ordinary_props_are_clean():
    props = {
        "path": "/assets/42",
        "title": "Blue whale",
        "engagementTime": 12.345,
        "position": 3,
        "revenueCents": 491512345678,
    }
    assert REDACTOR.is_clean(props, json.dumps(props, separators=(",", ":")).encode())


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ('{"email":"jane","x":1', '{"email":[redacted],"x":1'),
        ('{"email" : "ja\\"ne"}}', '{"email" : [redacted]}}'),
        ('{"x":"unclosed, "password":"t0p', '{"x":"unclosed, "password":[redacted]'),
        ("{'token': 't0p', 'x': 1}", "{'token': [redacted], 'x': 1}"),
        ("password=t0p&x=1", "password=[redacted]&x=1"),
        ('{"userAgent":"Mozilla/5.0 (X11)","ipAddress":"10.1.2.3"', '{"userAgent":[redacted],"ipAddress":[redacted]'),
        ('{"secret":{"a":"t0p"},"x":1', '{"secret":[redacted],"x":1'),
        (
            '203.0.113.5 - - [02/Oct/2026:10:00:00 +0000] "GET /a HTTP/1.1" 200 "-" "Mozilla/5.0 (X11; Linux x86_64)"',
            '[redacted] - - [02/Oct/2026:10:00:00 +0000] "GET /a HTTP/1.1" 200 "-" "[redacted]"',
        ),
        ("from [2001:db8::5]:443, 203.0.113.5:443. and ::1.", "from [[redacted]]:443, [redacted]:443. and [redacted]."),
        ("10:00:00 1.2.3 v1.2.3.4 12:34 std::x", "10:00:00 1.2.3 v1.2.3.4 12:34 std::x"),
        ('{"secret":{"a":{"b":"x"},"c":"t0p"},"x":1', '{"secret":[redacted],"x":1'),
        ("{'secret': {'a': '}', 'b': 't0p'}, 'x': 1}", "{'secret': [redacted], 'x': 1}"),
        ('{"tokens":["a]","t0p"],"x":', '{"tokens":[redacted],"x":'),
        ('{"secret":[1,{"a":"t0p"}', '{"secret":[redacted]'),
        ('{"Phone Number": 4915123456789, "x":', '{"Phone Number": [redacted], "x":'),
        ('{"\\u0065mail":"jane", "x":', '{"\\u0065mail":[redacted], "x":'),
        ("{'e-mail address': 'jane'", "{'e-mail address': [redacted]"),
        ('{\\"email\\":\\"jane\\"}', '{\\"email\\":[redacted]}'),
        ("write to jane@example.com or +49 151 23456789", "write to [redacted] or [redacted]"),
    ],
)
def test_text_that_is_no_json_is_redacted_by_its_looks(text, redacted):
    assert REDACTOR.text(text) == redacted


@pytest.mark.parametrize(
    "piece",
    ["a", "a@", "@", ".", ":", "1.1.1.1.", "f:", "Mozilla/5.0", "Mozilla/5.0\"", "a.", "%40", "%4", "1", "1 ", "+1", "(1", "01 ", "0123 ", "555-123-", "&a=", "a=", '"', '\\"', "'", "{", "email:", " ", "a@a.", "\\", "?a=", "?token=", "&#64;", "%25", "+49 ", "4111 1111 ", "DE89 3704 ", "a/1.0 (X11 ", "//a:", "::1 ", "00 1"],
)  # fmt: skip
def test_long_runs_of_one_thing_are_redacted_to_their_end(piece):
    # Keeps out patterns that backtrack: with a quadratic one each of these takes minutes instead of a moment.
    text = (piece * 100_000)[:100_000]
    assert REDACTOR.text(f"{text} jane@example.com").endswith("[redacted]")


def test_what_a_key_means_is_remembered_for_a_bounded_number_of_keys():
    for number in range(5_000):
        REDACTOR.keys.kind(f"key{number}")
    assert REDACTOR.keys.kind.cache_info().currsize <= 2_048
