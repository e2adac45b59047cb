"""Every text that is a point in time is the same instant everywhere, and every other text has a reason."""

import json
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from ingestion.validation.timestamps import canonical_json, parse_timestamp, timestamp_reason


@given(st.datetimes(timezones=st.timezones(), min_value=datetime(1900, 1, 1), max_value=datetime(2100, 1, 1)))  # noqa: DTZ001
def test_an_instant_survives_formatting(moment):
    text = moment.isoformat()
    # Offsets of the 1900s had seconds, which ISO-8601 has not.
    if timestamp_reason(text) is None:
        # Python calls times that a zone's clocks skip or repeat unequal to everything in another zone.
        assert parse_timestamp(text) == moment.astimezone(UTC)
        assert parse_timestamp(text).tzinfo is UTC
    else:
        assert len(text.rpartition("+")[2]) > 5 or len(text.rpartition("-")[2]) > 5


def test_digits_beyond_the_microsecond_are_cut_off():
    assert parse_timestamp("2026-10-02T23:59:59.99999999999Z") == datetime(2026, 10, 2, 23, 59, 59, 999_999, UTC)


@given(st.text())
def test_a_text_is_either_a_time_or_has_a_reason(text):
    if timestamp_reason(text) is None:
        assert parse_timestamp(text).tzinfo is UTC


@given(st.datetimes(timezones=st.just(UTC)))
def test_the_canonical_form_is_that_of_isoformat(moment):
    assert bytes(canonical_json(moment)) == json.dumps(moment.isoformat()).encode()
