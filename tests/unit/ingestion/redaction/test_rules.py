"""Redaction of named texts, URLs and keys."""

# ruff: noqa: E501 - a case a line reads better than one in five

import json
from datetime import date
from typing import Any

import pytest

from ingestion.redaction import default_redactor, redact_text
from ingestion.validation.event_record import ValidEvent
from ingestion.validation.validator import LineValidator

DAY = date(2026, 11, 8)


def stored(**fields: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the props and attribution that are stored of an event with these fields."""
    from ingestion.attribution_table import ATTRIBUTION_COLUMN_NAMES

    event = {"eventType": "page_viewed", "occurredAt": f"{DAY}T10:00:00Z", "idempotencyKey": "k1"} | fields
    outcome = LineValidator(landing_date=DAY, start_date=DAY).validate(json.dumps(event).encode())
    assert isinstance(outcome, ValidEvent)
    attribution = outcome.attribution or ()
    return json.loads(outcome.props), dict(zip(ATTRIBUTION_COLUMN_NAMES, attribution, strict=False))


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        # Encoded once and twice, in a URL inside a URL
        ("https://l.example/login?next=%2Freset%3Femail%3Dana.maria%40example.org%26token%3Ds3cr3t-one", "https://l.example/login?next=%2Freset%3Femail%3D[redacted]%26token%3D[redacted]"),
        ("/login?next=%2Freset%3Femail%3Dana.maria%2540example.org%26token%3Ds3cr3t-two", "/login?next=%2Freset%3Femail%3D[redacted]%26token%3D[redacted]"),
        ("/login?next=https://y.example/?token=s3cr3t&page=2", "/login?next=https://y.example/?token=[redacted]&page=2"),
        # JSON in a text
        ('{"a":1,"password":"x y","b":2}', '{"a":1,"password":[redacted],"b":2}'),
        ('{"a":"{\\"password\\":\\"x\\"}"}', '{"a":"{\\"password\\":[redacted]}"}'),
        ('{"password"=>"x y", "a"=>1}', '{"password"=>[redacted], "a"=>1}'),
        ("['token' => 'x', 'page' => 5]", "['token' => [redacted], 'page' => 5]"),
        ("password := x1", "password := [redacted]"),
        # Users and passwords of URLs
        ("https://user:pw@news.example/x", "https://news.example/x"),
        ("https://user@news.example:8080/x?y=1", "https://news.example:8080/x?y=1"),
        ("https://user:p@ss:w@news.example/x", "https://news.example/x"),
        ("https://user:p/w@news.example/x", "https://news.example/x"),
        ("https://x.example:8080/users/@jane", "https://x.example:8080/users/@jane"),
        ("see https%3A%2F%2Fuser%3Apw%40news.example%2Fx", "see https%3A%2F%2Fnews.example%2Fx"),
        # Parameters
        ("/x?a=1;token=S", "/x?a=1;token=[redacted]"),
        ("/x?a=1;token=S;T&b=2", "/x?a=1;token=[redacted]&b=2"),
        ("/x?a=1&amp;token=S", "/x?a=1&amp;token=[redacted]"),
        ("/x?%74oken=a%26b&c=1", "/x?%74oken=[redacted]&c=1"),
        ("/callback?code=4/0AX4&state=1", "/callback?code=[redacted]&state=1"),
        ("/x?tokenCount=7&user[email]=jane&pinCount=4", "/x?tokenCount=7&user[email]=[redacted]&pinCount=4"),
        # Addresses
        ("write to a@b.example.", "write to [redacted]."),
        ("a@b.example, c@d.example; e@f.example!", "[redacted], [redacted]; [redacted]!"),
        ('"jane doe"@b.example', '[redacted]'),
        ("jane&#64;b.example", "[redacted]"),
        ("jane\u200b@\u00adb.exam\u2060ple", "[redacted]"),
        ("jane＠b．example", "[redacted]"),  # noqa: RUF001
        ("logo@2x.png", "logo@2x.png"),
        ("root@203.0.113.9", "[redacted]"),
        # Phone numbers: a plus, zeros, a form's blank
        ("/x?to=+4915123456789", "/x?to=[redacted]"),
        (" 4915123456789", " [redacted]"),
        ("to call  49 151 23456789 now", "to call  [redacted] now"),
        ("+4915123456789+4930123456", "[redacted][redacted]"),
        # Cards and accounts
        ("paid with 4111 1111 1111 1111.", "paid with [redacted]."),
        ("card 378282246310005", "card [redacted]"),
        ('{"n":4111111111111111.0}', '{"n":[redacted]}'),
        ("4111111111111111.05 cents", "4111111111111111.05 cents"),
        ("IBAN DE89 3704 0044 0532 0130 00 please", "IBAN [redacted] please"),
        ("utm_id=4111111111111111", "utm_id=4111111111111111"),
        # Addresses of machines, and versions
        ("login from 203.0.113.9 refused", "login from [redacted] refused"),
        ("/admin?client=203.0.113.9&from=198.51.100.7", "/admin?client=[redacted]&from=[redacted]"),
        ("1.1 203.0.113.9", "1.1 [redacted]"),
        ("from 203․0․113․9 and jane@b﹒example", "from [redacted] and [redacted]"),  # noqa: RUF001
        ("[2001:db8::17]:443 and fe80::1%eth0", "[[redacted]]:443 and [redacted]"),
        ("Chrome/120.0.6099.210 and v1.2.3.4, version 10.0.0.1", "Chrome/120.0.6099.210 and v1.2.3.4, version 10.0.0.1"),
        # Agents and tokens
        ("by Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/128.0 today", "by [redacted] today"),
        ("Authorization: Bearer abcdefghijklmnop123", "Authorization: [redacted]"),
        ("Cookie: sid=abc; lang=de\nHost: x", "Cookie: [redacted]\nHost: x"),
        ("Set-Cookie: sid=abc; Path=/ and more", "Set-Cookie: [redacted] and more"),
        ("Cookie: how we use them", "Cookie: how we use them"),
        # Blanks of other widths
        ("card 4111\u20091111\u20091111\u20091111", "card [redacted]"),
        ("call +44\u200720\u20077946\u20070958 now", "call [redacted] now"),
        ("DE89\u20093704\u20090044\u20090532\u20090130\u200900", "[redacted]"),
        ("10\u2009000\u2009km, 1\u2009234\u2009567\u2009890", "10\u2009000\u2009km, 1\u2009234\u2009567\u2009890"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "[redacted]"),
    ],
)  # fmt: skip
def test_texts_are_redacted_as_narrowly_as_can_be(text: str, redacted: str) -> None:
    assert redact_text(text) == redacted
    assert redact_text(redacted) == redacted


@pytest.mark.parametrize(
    "text",
    ["black+friday+2026-11-27", "black+friday+2026-11-28", "festival + 2026-11-27", "1 + 2026-2027", "brand+12003456789",
     "c++ 2026 2027 edition", "Email: how to write one", "https://x.example/a/b#c"],
)  # fmt: skip
def test_dates_ranges_and_numbers_of_campaigns_stay(text: str) -> None:
    assert redact_text(text) == text


def test_values_under_keys_that_count_stay() -> None:
    props = {
        "totalTokens": 1532, "promptTokens": 900, "emailsSent": 3, "pinCount": 4, "cookieConsent": "granted", "mailingStep": 2,
        "tokenCount": 7, "isMobile": True, "appVersion": "10.0.0.1", "orderId": "4111111111111111",
    }  # fmt: skip
    assert default_redactor().value(props) == props
    assert default_redactor().value(
        {"tokens": "abc", "emailsSent": "jane", "otp": 123456, "phone": 4915123456789}
    ) == dict.fromkeys(("tokens", "emailsSent", "otp", "phone"), "[redacted]")


@pytest.mark.parametrize(
    "key", ["otp", "auth", "bearer", "mobile", "userMobile", "api-key", "IBAN", "cardNumber", "téléphone", "PASSWORT"]
)
def test_keys_that_producers_use_for_personal_data_are_known(key: str) -> None:
    assert default_redactor().value({key: "x"}) == {key: "[redacted]"}


def test_addresses_under_other_keys_and_in_texts_are_not_stored() -> None:
    props, _ = stored(props={
        "remoteHost": "203.0.113.9", "peer": "2001:db8::17", "message": "login from 203.0.113.9 refused",
        "path": "/admin?client=203.0.113.9&from=198.51.100.7", "headers": {"x-forwarded-for": "203.0.113.9", "via": "1.1 203.0.113.9"},
    })  # fmt: skip
    assert props == {
        "remoteHost": "[redacted]", "peer": "[redacted]", "message": "login from [redacted] refused",
        "path": "/admin?client=[redacted]&from=[redacted]", "headers": {"via": "1.1 [redacted]"},
    }  # fmt: skip


def test_campaigns_that_end_in_dates_stay_apart() -> None:
    _, first = stored(attribution={"utmCampaign": "black+friday+2026-11-27"})
    _, second = stored(attribution={"utmCampaign": "black+friday+2026-11-28"})
    assert first["utm_campaign"] == "black+friday+2026-11-27"
    assert second["utm_campaign"] == "black+friday+2026-11-28"


def test_the_source_of_a_visit_is_no_user_of_a_url() -> None:
    _, attribution = stored(attribution={"referrer": "https://user:pw@news.example/x"})
    assert attribution["referrer"] == "https://news.example/x"


def test_card_numbers_that_arrive_as_floating_point_numbers_are_redacted() -> None:
    number = 4111111111111111.0
    value = default_redactor().value(
        {"n": number, "list": [number], "orderId": number, "other": number + 1, "big": 1e300}
    )
    assert value == {"n": "[redacted]", "list": ["[redacted]"], "orderId": number, "other": number + 1, "big": 1e300}
    props, _ = stored(props={"n": number, "views": 3.0, "isNew": False})
    assert props == {"n": "[redacted]", "views": 3.0, "isNew": False}
