"""Events of people who declined tracking are stored in no form, whatever else is wrong with them."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.landing.lines import EventArray
from ingestion.landing.objects import Oversized
from ingestion.validation.consent import declines
from ingestion.validation.validator import NotTracked, RejectedLine

CLEAR_NO = (None, False, 0, 0.0, -0.0, "", " ", "0", "false", "no", "off", "unspecified", " No\u00a0", "FALSE", "Off")
REFUSALS = (
    True, 1, 1.0, -1, 0.5, 1e-300, 10**30, "1", "true", "True", "yes", "Yes", "YES", " yes ", "null", "none", "0.0",
    "2", "nein", "maybe", "\u200bno", [], {}, [0], {"value": False},
)  # fmt: skip
GOOD = b'"eventType":"page_viewed","occurredAt":"2026-10-03T10:00:00Z","anonymousId":"device-1"'


def places(value: Any) -> list[dict[str, Any]]:
    """Every place of an event where a person's answer may stand."""
    answers = [{key: value} for key in ("doNotTrack", "do_not_track")]
    return answers + [{section: answer} for section in ("context", "props") for answer in answers]


@pytest.mark.parametrize("answer", REFUSALS, ids=repr)
@pytest.mark.parametrize("source", [None, "", "web", "mobile", "Web", "tv", "API", " api", "Webhook", 5, ["api"]])
def test_anything_but_a_clear_no_declines(validator, line_of, answer, source):
    for changes in places(answer):
        assert validator.validate(line_of(**changes, source=source)) == NotTracked(), changes


@pytest.mark.parametrize("answer", CLEAR_NO, ids=repr)
def test_a_clear_no_declines_nothing(accepted, answer):
    for changes in places(answer):
        assert accepted(**changes)["event_key"] == "key-1"


@pytest.mark.parametrize("source", ["api", "system", "webhook"])
def test_servers_are_tracked_even_if_they_decline(accepted, source):
    for changes in places(True):
        assert accepted(**changes, source=source)["source"] == source


def test_one_refusal_outweighs_any_clear_no(validator, line_of):
    for changes in (
        {"context": {"doNotTrack": False, "do_not_track": "1"}},
        {"context": {"doNotTrack": True, "do_not_track": False}},
        {"context": {"doNotTrack": 0}, "props": {"doNotTrack": 1}},
        {"doNotTrack": "no", "context": {"doNotTrack": "yes"}},
    ):
        assert validator.validate(line_of(**changes)) == NotTracked()


@pytest.mark.parametrize(
    "line",
    [
        b'{"context":{"doNotTrack":true}}',
        b'{"eventType":5,"occurredAt":"never","props":[],"context":{"doNotTrack":true}}',
        b'{"x":"\\ud800","context":{"doNotTrack":true}}',
        b'{"x":"\\u0000","context":{"doNotTrack":true}}',
        b'{"x":1e999,"context":{"doNotTrack":true}}',
        b'{"x":1%s,"context":{"doNotTrack":true}}' % (b"0" * 5_000),
        b'{"x":NaN,"context":{"doNotTrack":true}}',
        b'{"context":{"doNotTrack":NaN}}',
        b'{"context":{"doNotTrack":1e999}}',
        b'{"x":1,"x":2,"context":{"doNotTrack":true}}',
        b'{%s,"context":{"doNotTrack":true,"doNotTrack":false}}' % GOOD,
        b'{%s,"context":{"doNotTrack":false,"doNotTrack":true}}' % GOOD,
        b'{%s,"context":{"doNotTrack":true},"context":{"os":"iOS"}}' % GOOD,
        b'{%s,"context":{"doNotTrack":true},"context":[]}' % GOOD,
        b'{%s,"doNotTrack":true,"doNotTrack":null}' % GOOD,
        b'{%s,"source":"api","source":"web","doNotTrack":true}' % GOOD,
        b'{%s,"source":"web","source":"api","doNotTrack":true}' % GOOD,
        b'{%s,"context":{"d\\u006fNotTrack":true}}' % GOOD,
        b'{%s,"x":%s,"context":{"doNotTrack":true}}' % (GOOD, b"[" * 50_000 + b"]" * 50_000),
        b'{%s,"context":{"doNotTrack":%s}}' % (GOOD, b'{"a":' * 50_000 + b"1" + b"}" * 50_000),
        b'[{%s},{%s,"context":{"doNotTrack":true}}]' % (GOOD, GOOD),
        b'{"title":"B\xe4r","context":{"doNotTrack":true}}',
        b'{"title":"a\tb","context":{"doNotTrack":true}}',
        b'{"x":"%s","context":{"doNotTrack":true}}' % (b"x" * 1_048_576),
        '{"context":{"doNotTrack":true}}'.encode("utf-16-le"),
    ],
    ids=lambda line: repr(line[:60]),
)
def test_a_refusal_counts_in_a_line_that_is_otherwise_no_good(validator, line):
    assert validator.validate(line) == NotTracked()


@pytest.mark.parametrize(
    "line",
    [
        b'{"context":{"doNotTrack":true},"anonymousId":"dev',
        b'{"x":%s,"context":{"doNotTrack":true}' % (b"[" * 50_000),
        b'{"x":{"context":{"doNotTrack":true}}}',
        b'{"attribution":{"doNotTrack":true}}',
        b'{"props":{"context":{"doNotTrack":true}}}',
        b'{"props":[{"doNotTrack":true}]}',
        b'{"source":"api","x":1,"x":1,"context":{"doNotTrack":true}}',
        b'{"x":"doNotTrack","y":1,"y":true}',
        b'"doNotTrack"',
        b'[["doNotTrack",true]]',
    ],
    ids=lambda line: repr(line[:60]),
)
def test_text_that_is_no_answer_of_an_event_is_rejected(validator, line):
    assert isinstance(validator.validate(line), RejectedLine)


def test_an_answer_counts_in_the_start_of_a_line_that_was_not_read_whole(validator):
    assert validator.reject_unparsed(Oversized(b'{"context":{"doNotTrack":true},"x":"xxx', 52_428_800)) == NotTracked()
    array = b'[\n {"context":{"doNotTrack":false}},\n {"context":{"doNotTrack":true}},\n {"ev'
    assert validator.reject_unparsed(EventArray(array, 9_000)) == NotTracked()
    assert isinstance(
        validator.reject_unparsed(Oversized(b'{"context":{"doNotTrack":false},"x', 9_000_000)), RejectedLine
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@given(answer=JSON, rest=st.dictionaries(st.text(max_size=3), JSON, max_size=3), is_bad=st.booleans())
def test_a_refusal_counts_alike_in_good_and_bad_events(validator, answer, rest, is_bad):
    event = {"eventType": 5 if is_bad else "page_viewed", "occurredAt": "2026-10-03T10:00:00Z", "props": {}} | rest
    for changes in places(answer):
        outcome = validator.validate(json.dumps(event | changes).encode())
        assert (outcome == NotTracked()) == declines(answer)
