"""Every rule that can be broken, by name, and the reason it must give."""

# ruff: noqa: E501 - a case a line reads better than one in five

import json
from typing import Any

import pytest

DEEP = {"a": {"b": {"c": 1}}}
ID = "not a text of 1 to 255 characters"
TIME = "not a date and time in ISO-8601, such as 2026-10-01T09:30:00.123Z"

BAD_FIELDS: list[tuple[str, dict[str, Any], str]] = [
    ("no event type", {"eventType": None}, "eventType: missing"),
    ("empty event type", {"eventType": ""}, "eventType: missing"),
    *(
        (f"event type {text!r:.20}", {"eventType": text}, "eventType: not 1 to 100 characters of a-z, 0-9 and _, starting with a letter")
        for text in ("Asset_Viewed", "1st", "_x", "a-b", "a b", "a\n", "a" * 101, "ä", "x'; drop table raw.events; --", 5)
    ),
    ("no time", {"occurredAt": None}, "occurredAt: missing"),
    ("a time without offset", {"occurredAt": "2026-10-03T14:22:31"}, "occurredAt: no offset"),
    ("a date", {"occurredAt": "2026-10-03"}, "occurredAt: no offset"),
    ("a time as a number", {"occurredAt": 1791000000}, f"occurredAt: {TIME}"),
    ("a time in words", {"occurredAt": "yesterday"}, f"occurredAt: {TIME}"),
    ("a week date", {"occurredAt": "2026-W40-4T00:00:00Z"}, f"occurredAt: {TIME}"),
    ("an offset of 99 minutes", {"occurredAt": "2026-10-03T14:22:31+02:99"}, f"occurredAt: {TIME}"),
    ("a time and a line end", {"occurredAt": "2026-10-03T14:22:31Z\n"}, f"occurredAt: {TIME}"),
    ("a leap second", {"occurredAt": "2026-10-03T23:59:60Z"}, "occurredAt: a leap second; send second 59"),
    *(
        (f"impossible time {text}", {"occurredAt": text}, "occurredAt: not a time that exists in the years 0001 to 9999, UTC")
        for text in ("2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-10-03T24:00:00Z", "0000-01-01T00:00:00Z",
                     "0001-01-01T00:00:00+02:00", "9999-12-31T23:59:59-02:00")
    ),
    ("year 1", {"occurredAt": "0001-01-01T00:00:00Z"}, "occurredAt: before the warehouse's start date"),
    ("the instant before the start", {"occurredAt": "2026-09-30T23:59:59.999999Z"}, "occurredAt: before the warehouse's start date"),
    ("before the start by its offset", {"occurredAt": "2026-10-01T01:59:59+02:00"}, "occurredAt: before the warehouse's start date"),
    ("year 9999", {"occurredAt": "9999-12-31T23:59:59Z"}, "occurredAt: more than 24 hours after receivedAt"),
    ("a clock 24 h ahead", {"occurredAt": "2026-10-04T14:22:32.000001Z"}, "occurredAt: more than 24 hours after receivedAt"),
    ("24 h after the landing day", {"occurredAt": "2026-10-05T00:00:00.000001Z", "receivedAt": None}, "occurredAt: more than 24 hours after receivedAt"),
    ("received long after landing", {"receivedAt": "2026-10-05T00:00:00.000001Z"}, "receivedAt: more than 24 hours after the end of the landing day"),
    ("received in year 9999", {"receivedAt": "9999-12-31T23:59:59-01:00"}, "receivedAt: not a time that exists in the years 0001 to 9999, UTC"),
    ("received without offset", {"receivedAt": "2026-10-03T14:22:31"}, "receivedAt: no offset"),
    ("received as a number", {"receivedAt": 5}, f"receivedAt: {TIME}"),
    *(
        (f"{name} {what}", {name: value}, f"{name}: {ID}")
        for name in ("idempotencyKey", "eventId", "actorId", "anonymousId", "entityId", "ipAssetId", "projectId", "licenseId")
        for what, value in (("of 256 characters", "x" * 256), ("that is a number", 7), ("that is an object", {}))
    ),
    ("unknown source", {"source": "tv"}, "source: not one of web, api, mobile, system, webhook"),
    ("source in capitals", {"source": "WEB"}, "source: not one of web, api, mobile, system, webhook"),
    ("unknown actor type", {"actorType": "robot"}, "actorType: not one of user, creator, brand, system, admin"),
    ("unknown entity type", {"entityType": "planet"}, "entityType: not one of project, asset, license, creator, brand, user, royalty, payout, post, category"),
    ("entity id without a type", {"entityType": None}, "entityType: missing although entityId is given"),
    ("props of 4 levels", {"props": {"x": DEEP}}, "props: deeper than 3 levels"),
    ("props of 4 levels by lists", {"props": {"x": [[[]]]}}, "props: deeper than 3 levels"),
    ("props over 10 KB", {"props": {"x": "é" * 5117}}, "props: longer than 10240 bytes of JSON"),
    *(
        (f"{name} {value!r}", {"props": {name: value}}, f"props.{name}: not a whole number of cents from 0 to 1000000000000")
        for name in ("revenueCents", "feeCents")
        for value in (-1, -1.0, 1.5, 1e12 + 1, 10**12 + 1, "5", True, [1])
    ),
    *(
        (f"engagement time {value!r}", {"props": {"engagementTime": value}}, "props.engagementTime: not seconds from 0 to 1000000000")
        for value in (-0.001, -1, "5", True, 1_000_000_000.5, 1e30)
    ),
    ("10^39 in digits", {"props": {"n": 10**39}}, "props: a number beyond 1e38"),
    ("10^308", {"props": {"n": 1e308}}, "props: a number beyond 1e38"),
    ("-10^39, nested", {"props": {"n": {"m": [-1e39]}}}, "props: a number beyond 1e38"),
    ("an event type in both forms", {"event_type": "asset_uploaded"}, "eventType: given twice with different values, also as event_type"),
    ("an entity type in both forms", {"entity_type": "project"}, "entityType: missing although entityId is given"),
    ("an entity type that is a placeholder", {"entityType": "undefined"}, "entityType: not one of project, asset, license, creator, brand, user, royalty, payout, post, category"),
    ("NUL in an id", {"actorId": "a\0b"}, "line: a NUL character (\\u0000) in a key or a text"),
    ("NUL in a nested value", {"props": {"a": {"b": ["\0"]}}}, "line: a NUL character (\\u0000) in a key or a text"),
    ("NUL in a nested key", {"props": {"a": {"\0": 1}}}, "line: a NUL character (\\u0000) in a key or a text"),
    ("NUL in an unknown field", {"unknown": ["x\0"]}, "line: a NUL character (\\u0000) in a key or a text"),
]  # fmt: skip

GOOD = '"eventType":"asset_viewed","occurredAt":"2026-10-03T14:22:31Z"'
SURROGATE = "line: a lone surrogate (\\ud800 to \\udfff) in a key or a text"
RANGE = "line: a number too large to be read"
TWICE = "line: a key is given twice in one object"
BAD_LINES: list[tuple[str, bytes, str]] = [
    ("words", b"hello", "line: not JSON"),
    ("SQL", b"'; drop table raw.events; --", "line: not JSON"),
    ("cut off", b'{"eventType":"asset_vie', "line: not JSON"),
    ("two events", b"{} {}", "line: not JSON"),
    ("single quotes", b"{'eventType':'x'}", "line: not JSON"),
    ("NaN", b'{%s,"props":{"n":NaN}}' % GOOD.encode(), "line: not JSON"),
    ("Infinity", b'{%s,"props":{"n":-Infinity}}' % GOOD.encode(), "line: not JSON"),
    ("byte order mark", b"\xef\xbb\xbf{}", "line: not JSON"),
    ("Latin-1", '{"title":"Bär"}'.encode("latin-1"), "line: not UTF-8"),
    ("UTF-16 with byte order mark", '{"a":1}'.encode("utf-16"), "line: not UTF-8"),
    ("UTF-16", '{"a":1}'.encode("utf-16-le"), "line: NUL bytes; a file in UTF-16 has them, write UTF-8"),
    ("encoded surrogate", b'{"a":"\xed\xa0\x80"}', "line: not UTF-8"),
    ("array", b"[{%s}]" % GOOD.encode(), "line: an array of events; write one event per line (NDJSON)"),
    ("a number", b"5", "line: not a JSON object"),
    ("null", b"null", "line: not a JSON object"),
    ("a text", b'"eventType"', "line: not a JSON object"),
    ("bottomless list", b"[" * 500_000, "line: nested too deeply to be read"),
    ("bottomless object", b'{"a":' * 100_000, "line: nested too deeply to be read"),
    ("over 1 MiB", b'{"a":"%s"}' % (b"x" * 1_048_576), "line: longer than 1048576 bytes"),
    ("lone surrogate", b'{%s,"actorId":"\\ud800"}' % GOOD.encode(), SURROGATE),
    ("lone surrogate in a key", b'{%s,"props":{"\\udfffx":1}}' % GOOD.encode(), SURROGATE),
    ("surrogates in the wrong order", b'{%s,"x":"\\ude00\\ud83d"}' % GOOD.encode(), SURROGATE),
    ("1e400", b'{%s,"n":[1e400]}' % GOOD.encode(), RANGE),
    ("5,000 digits", b'{%s,"x":1%s}' % (GOOD.encode(), b"0" * 5000), RANGE),
    ("a key twice", b'{%s,"eventType":"asset_viewed"}' % GOOD.encode(), TWICE),
    ("a key twice, with blanks", b'{%s,"a" :1,"a"\t: 2}' % GOOD.encode(), TWICE),
    ("a key twice, once escaped", b'{%s,"a":1,"\\u0061":2}' % GOOD.encode(), TWICE),
    ("a key twice, beside an escaped colon", b'{%s,"x":"\\u003a","a":1,"a":2}' % GOOD.encode(), TWICE),
    ("a key twice, after a backslash", b'{%s,"a\\\\":1,"a\\\\":2}' % GOOD.encode(), TWICE),
    ("a key twice, beside a long number", b'{%s,"n":1e25,"a":1,"a":1}' % GOOD.encode(), TWICE),
    ("a nested key twice", b'{%s,"props":{"x":[{"a":1,"a":1}]}}' % GOOD.encode(), TWICE),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "reason"), [case[1:] for case in BAD_FIELDS], ids=[case[0] for case in BAD_FIELDS])
def test_a_broken_rule_rejects_the_event_for_that_reason_alone(rejected, changes, reason):
    assert rejected(**changes).reasons == (reason,)


@pytest.mark.parametrize(("line", "reason"), [case[1:] for case in BAD_LINES], ids=[case[0] for case in BAD_LINES])
def test_a_line_that_holds_no_event_says_why(rejected, line, reason):
    rejection = rejected(line)
    assert rejection.reasons == (reason,)
    assert rejection.line_bytes == len(line)


def test_every_broken_rule_is_given_as_a_reason(rejected):
    line = json.dumps(
        {
            "occurredAt": "2026-10-03T00:00:00",
            "source": "tv",
            "entityId": "asset-1",
            "props": {"revenueCents": -1, "x": DEEP, "big": "x" * 20_000},
            "attribution": {"referrer": "nowhere"},
            "context": 5,
        }
    ).encode()
    assert rejected(line).reasons == (
        "eventType: missing",
        "source: not one of web, api, mobile, system, webhook",
        "occurredAt: no offset",
        "entityType: missing although entityId is given",
        "props.revenueCents: not a whole number of cents from 0 to 1000000000000",
        "props: longer than 10240 bytes of JSON",
        "props: deeper than 3 levels",
    )


@pytest.mark.parametrize("cents", [2**63, 10**30])
def test_cents_beyond_their_limit_are_rejected(rejected, cents):
    assert "props.feeCents: not a whole number of cents from 0 to 1000000000000" in (
        rejected(props={"feeCents": cents}).reasons
    )


def test_reasons_do_not_quote_the_line(rejected):
    reasons = rejected(actorType="jane@example.com", source="jane@example.com", occurredAt="jane@example.com").reasons
    assert len(reasons) == 3
    assert "jane" not in "".join(reasons)


def test_a_bad_line_in_snake_case_gives_the_same_reasons(rejected):
    line = b'{"event_type":"X","occurred_at":"2026-10-03T00:00:00Z","props":{"revenue_cents":"1"}}'
    assert rejected(line).reasons == (
        "eventType: not 1 to 100 characters of a-z, 0-9 and _, starting with a letter",
        "props.revenueCents: not a whole number of cents from 0 to 1000000000000",
    )
