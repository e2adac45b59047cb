"""The fast path gives the outcome of the slow path for any line; the lines that are canonical."""

import json
from datetime import UTC, date, datetime
from random import Random
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingestion.contract import SECTIONS, Event, camel_keys
from ingestion.loading.binary_copy import event_row
from ingestion.validation.event_record import ValidEvent
from ingestion.validation.fast_path import decode_canonical, parse_canonical_timestamp, parse_canonical_uuid
from ingestion.validation.timestamps import from_microseconds, parse_timestamp, timestamp_reason, to_microseconds
from ingestion.validation.validator import LineValidator
from tests.unit.ingestion.conftest import GOOD_EVENT, as_line

VALIDATOR = LineValidator(landing_date=date(2026, 10, 3), start_date=date(2026, 10, 1))
# Takes the times of all years.
EVER = LineValidator(landing_date=date(9999, 12, 30), start_date=date.min)

# JSON texts: a Python value would not keep their form.
TEXTS = (
    '""', '" "', '"a"', '"web"', '"WEB"', '"Asset"', '"ASSET"', '"aSSET"', '"asset\\n"', '"license"', '"page_viewed"',
    '"page_viewed\\n"', '"2026-10-03T10:00:00Z"', '"2026-10-03t10:00z"', '"2026-10-02T23:59:59.9999999Z"',
    '"2026-10-03 05:45:00,5+05:45"', '"2026-10-03T24:00:00Z"', '"2026-10-03T10:00:60Z"', '"2026-02-30T10:00:00Z"',
    '"2026-10-03T10:00:00.000Z"', '"2026-10-03T23:59:59.999Z"', '"2026-10-03T23:59:60.000Z"',
    '"2026-10-03T10:60:00.000Z"', '"2026-10-03T24:00:00.000Z"', '"2026-02-29T10:00:00.123Z"',
    '"2026-10-03t10:00:00.123Z"', '"2026-10-03T10:00:00.123z"', '"2026-10-03T10:00:00,123Z"',
    '"2026-10-03T10:00:00.+12Z"', '"2026-10-03T10:00:00.1\uff123Z"', '"2026-10-03T1\u0663:00:00.123Z"',
    '"2026-W40-5T10:00:00.123Z"', '"2026-10-03T10:00:00.123+00:00"', '"2026-10-03T10:00:00.000+00:00"',
    '"2026-10-03T10:00:00.123-00:00"', '"0001-01-01T00:00:00.001Z"', '"9999-12-31T23:59:59.999Z"',
    '"1999-12-31T23:59:59.001Z"',
    '"0000-01-01T00:00:00.001Z"', '"2026-10-03T10:00:00.1234Z"', '"2026-10-03T10:00:00.12Z"', '"2026-10-03T10:00.123Z"',
    '"2026-W40-5T10:00:00Z"', '"0001-01-01T00:00:00+14:00"', '"2026-10-03T10:00:00.%sZ"' % ("1" * 60),
    '"1b4e28ba-2fa1-41d2-883f-0016d3cca427"', '"1B4E28BA-2fa1-41d2-883f-0016d3cca427"',
    '"1b4e28ba-2fa1-41d2-883f-0016d3cca4  "', '"1b4e28b--2fa1-41d2-883f-0016d3cca427"',
    '"1b4e28ba-2fa1-41d2-883f0016-d3cca427"', '"1b4e28ba-2fa1-41d2-883f-0016d3cca4-7"',
    '"1b4e28ba-2fa1-41d2-883f- 016d3cca427"', '"1b4e28ba2fa141d2883f0016d3cca427"',
    '"{1b4e28ba-2fa1-41d2-883f-0016d3cca427}"',
    '"1b4e28ba-2fa1-41d2-883f-0016d3cca42\u0662"', '"https://x.example/?token=t0p&a=1"', '"HTTPS://x.example"',
    '"http://"',
    '"javascript:1"', '"jane@example.com"', '"+49 151 23456789"', '"10.1.2.3"', '"\\u0000"', '"\\ud800"', '"\\u00e9"',
    '"\\/"', '"\x7f"', '"\t"', '"\u2028"', '"😀"', '"%s"' % ("é" * 256), '"%s"' % ("x" * 11_000),
    '"%s"' % ("😀" * 255), '"%s"' % ("x" * 255),
    '"%s"' % ("x" * 256), '"yes"', '"1"',
)  # fmt: skip
NUMBERS = (
    "0", "-0", "1", "-1", "1.0", "-0.0", "1e2", "1E+2", "0.0005", "1e-400", "1e38", "1.1e38", "1e309", "0.1",
    "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809",
    "18446744073709551616", "123456789012345678901234567890", "0.30000000000000004", "100000000000000000000.0",
    "1000000000", "1000000001", "12.3455", "01", "1.", ".5", "NaN",
)  # fmt: skip
OTHERS = (
    "null", "true", "false", "[]", "{}", "[1,[2,[3]]]", '{"b":{"a":{"c":1}}}', '{"z":1,"a":[null]}', '{"a":1,"a":2}',
)  # fmt: skip
JSON = st.sampled_from(TEXTS + NUMBERS + OTHERS)
KEYS = {
    name: (*struct.__struct_encode_fields__, *camel_keys(struct), "x", "email", "clientIp", "", "é", "a\\u0062")
    for name, struct in {"": Event, **SECTIONS}.items()
}


@st.composite
def spelled_objects(draw: st.DrawFn, section: str, good: dict[str, Any]) -> str:
    """An object of the contract as text: mostly good members, in any order, some changed, added or given twice."""
    members = [(key, json.dumps(value, ensure_ascii=False)) for key, value in good.items() if draw(st.integers(0, 9))]
    if not section:
        for name in SECTIONS:
            members = [member for member in members if member[0] != name]
            if draw(st.integers(0, 3)):
                members.append((name, draw(spelled_objects(name, good.get(name, {})))))
    for _ in range(draw(st.sampled_from((0, 0, 0, 1, 1, 2)))):
        members.append((draw(st.sampled_from(KEYS[section])), draw(JSON)))
    members = draw(st.permutations(members))
    blank = draw(st.sampled_from(("", "", " ")))
    return "{" + ",".join(f'"{key}":{blank}{value}' for key, value in members) + "}"


def both_ways(line: bytes) -> None:
    for validator in (VALIDATOR, EVER):
        fast, slow = validator.validate(line), validator.accept_slow_path(line) or validator.explain_rejection(line)
        # As texts too: 1, 1.0 and True are equal.
        assert (fast, repr(fast)) == (slow, repr(slow))
        if isinstance(fast, ValidEvent) and isinstance(slow, ValidEvent):
            assert event_row(fast, 1, 2) == event_row(slow, 1, 2)


# The first user agent takes half a second: the patterns are built for it.
@settings(max_examples=500, deadline=None)
@given(spelled_objects("", GOOD_EVENT))
@example('{"eventType":"page_viewed","occurredAt":"2026-10-03T10:00:00Z"}')
@example('{"eventType":"page_viewed","occurredAt":"2026-10-03T10:00:00Z","context":{"ipAddress":null}}')
@example('{"eventType":"page_viewed","occurredAt":"2026-10-03T10:00:00Z","props":{"a":1},"props":{"a":1}}')
@example('{"eventType":"page_viewed","occurredAt":"2026-10-03T10:00:00Z","props":{"a":"x","a":"x"}}')
@example('{"eventType":"page_viewed","occurredAt":"2026-10-03T10:00:00Z","attribution":{},"context":{}}')
def test_both_paths_agree_on_anything_like_an_event(line: str) -> None:
    both_ways(line.encode())


@settings(deadline=None)
@given(st.binary(max_size=3), st.integers(0, 700), st.integers(0, 3), st.booleans())
def test_both_ways_agree_on_damaged_lines(inserted: bytes, place: int, lost: int, is_snake: bool) -> None:
    line = as_line(actor_id="user-1") if is_snake else as_line()
    both_ways(line[:place] + inserted + line[place + lost :])


@pytest.mark.parametrize("name", [key for keys in KEYS.values() for key in keys])
def test_both_ways_agree_on_every_value_of_a_field(name: str) -> None:
    for value in TEXTS + NUMBERS + OTHERS:
        for section in ("", *SECTIONS):
            if name not in KEYS[section]:
                continue
            good = GOOD_EVENT[section] if section else GOOD_EVENT
            members = [f'"{key}":{json.dumps(inner)}' for key, inner in good.items() if key != name]
            changed = "{" + ",".join([*members, f'"{name}":{value}']) + "}"
            if section:
                others = [f'"{key}":{json.dumps(inner)}' for key, inner in GOOD_EVENT.items() if key != section]
                changed = "{" + ",".join([*others, f'"{section}":{changed}']) + "}"
            both_ways(changed.encode())


MILLISECONDS = st.builds(
    lambda moment, utc: f"{moment.isoformat(timespec='milliseconds')}{utc}",
    st.datetimes(),
    st.sampled_from(("Z", "+00:00")),
)


@given(MILLISECONDS | st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat))
def test_a_canonical_timestamp_is_parsed_as_by_the_slow_path(text: str) -> None:
    moment = parse_timestamp(text)
    microseconds, canonical = parse_canonical_timestamp(text)
    assert from_microseconds(microseconds) == moment
    assert to_microseconds(moment) == microseconds
    assert (canonical if isinstance(canonical, str) else json.loads(bytes(canonical))) == moment.isoformat()


@given(MILLISECONDS, st.integers(0, 28), st.characters() | st.sampled_from("0123456789 +-.,:_TtZzW٣"))
def test_a_damaged_instant_is_none_or_another(text: str, place: int, character: str) -> None:
    damaged = text[:place] + character + text[place + 1 :]
    try:
        microseconds, _ = parse_canonical_timestamp(damaged)
    except ValueError:
        return
    assert timestamp_reason(damaged) is None
    assert from_microseconds(microseconds) == parse_timestamp(damaged)


@given(st.uuids(), st.integers(0, 35), st.characters() | st.sampled_from("0aF- \t٣"))
def test_a_damaged_session_id_is_none_or_another(value: UUID, place: int, character: str) -> None:
    assert parse_canonical_uuid(str(value)) == value.bytes
    damaged = str(value)[:place] + character + str(value)[place + 1 :]
    try:
        read = parse_canonical_uuid(damaged)
    except ValueError:
        return
    assert read == msgspec.convert(damaged, UUID).bytes


def test_the_order_of_keys_does_not_show() -> None:
    members = list(GOOD_EVENT.items())
    Random(1).shuffle(members)  # noqa: S311
    shuffled = json.dumps(dict(members)).encode()
    assert shuffled != as_line()
    assert VALIDATOR.validate(shuffled) == VALIDATOR.validate(as_line())


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"occurredAt": "2026-10-03T16:22:31+02:00", "receivedAt": "2026-10-03T14:22:32.123456789Z"},
        {"entityType": "ASSET", "props": {"query": "Möbel für 2", "tags": ["a", 1], "revenueCents": 5}},
        {"props": {"userEmail": "jane@example.com", "userAgent": "Mozilla/5.0"}},
        {"context": {"userAgent": "Mozilla/5.0", "ipAddress": "10.1.2.3", "doNotTrack": False}},
    ],
)
def test_lines_of_trackers_are_canonical(changes: dict[str, Any]) -> None:
    assert decode_canonical(as_line(**changes)) is not None
