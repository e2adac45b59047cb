"""Properties of the validator: any bytes have one outcome, and equal events have equal keys."""

import json
from datetime import UTC, datetime

from hypothesis import example, given
from hypothesis import strategies as st

from ingestion.schema import CANDIDATE_COLUMN_NAMES
from ingestion.validation.errors import read_document, validation_errors
from ingestion.validation.event_record import ValidEvent
from ingestion.validation.unstorable_text import escape_line
from ingestion.validation.validator import NotTracked, RejectedLine
from ingestion.validation_lists import default_rules
from tests.support.stored_values import values_of
from tests.unit.ingestion.validation.test_validator import VALIDATOR, as_json, to_snake

# Few characters, each of them trouble for some parser; and the values that some field takes.
texts = st.text(st.sampled_from('a:"\\\0\ud800\u00e9@+1 '), max_size=8) | st.sampled_from(
    ("", "web", "ASSET", "2026-10-03T00:00:00Z", "1b4e28ba-2fa1-41d2-883f-0016d3cca427", "https://x.example/")
)
keys = texts | st.sampled_from(("revenueCents", "revenue_cents", "userAgent", "utm_source", "doNotTrack", "email"))
scalars = st.none() | st.booleans() | st.integers() | st.sampled_from((0.5, 1e300, 10**400)) | texts
json_values = scalars | st.dictionaries(
    keys, scalars | st.lists(scalars | st.lists(scalars, max_size=2), max_size=2), max_size=3
)
FIELDS = (
    "eventType",
    "occurredAt",
    "receivedAt",
    "source",
    "actorId",
    "actor_id",
    "sessionId",
    "entityType",
    "entityId",
    "props",
    "attribution",
    "context",
    "idempotencyKey",
    "unknown",
)
fuzzed_events = st.fixed_dictionaries(
    {"eventType": st.just("page_viewed"), "occurredAt": st.just("2026-10-03T00:00:00Z")},
    optional={name: json_values for name in FIELDS if name not in ("eventType", "occurredAt")},
) | st.dictionaries(st.sampled_from(FIELDS), json_values)


def assert_one_outcome(line: bytes) -> None:
    outcome = VALIDATOR.validate(line)
    match outcome:
        case ValidEvent():
            values = values_of(outcome)
            assert len(values) == len(CANDIDATE_COLUMN_NAMES)
            # The quick way and the thorough way agree on the line without fields that Postgres cannot store.
            line = escape_line(line) or line
            document = read_document(line)
            start = datetime(2026, 10, 1, tzinfo=UTC)
            bounds = {"starts_at": start, "unsealed_at": start, "day_ends_at": datetime(2026, 10, 4, tzinfo=UTC)}
            bounds |= {"placeholders": default_rules().placeholder_ids}
            assert validation_errors(line, document, **bounds) == ()
            texts = [value for value in values if isinstance(value, str)]
            assert not any("\0" in text for text in texts)
            "".join(texts).encode()
        case RejectedLine(text, line_bytes, reasons):
            assert reasons
            assert "line: not an event of the contract" not in reasons
            assert line_bytes == len(line)
            assert "\0" not in text
            assert len(text.encode()) <= 65_536
        case _:
            assert outcome == NotTracked()


@given(st.binary())
@example(b"")
@example(b"\xff\xfe{\x00}\x00")
def test_any_bytes_have_exactly_one_outcome(line):
    assert_one_outcome(line)


@given(fuzzed_events, st.booleans())
@example({"eventType": "page_viewed", "occurredAt": "2026-10-03T00:00:00Z", "sessionId": "\0"}, False)
def test_any_object_has_exactly_one_outcome(event, ascii_only):
    assert_one_outcome(json.dumps(event, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass"))


OFFSETS = ("+00:00", "Z", "z", "+02:00", "-0330", "+14", "-11:59")


@given(
    moment=st.datetimes(datetime(2026, 10, 2), datetime(2026, 10, 3)),  # noqa: DTZ001 - made aware by the offsets
    offsets=st.lists(st.sampled_from(OFFSETS), min_size=2, max_size=2),
    props=st.dictionaries(st.sampled_from(("revenueCents", "feeCents", "resultsCount")), st.integers(0, 10**12)),
    key=st.none() | st.text("abc", min_size=1),
)
def test_case_of_keys_and_offset_change_neither_key_nor_hash(moment, offsets, props, key):
    outcomes = []
    for offset, convert in zip(offsets, (dict, to_snake), strict=True):
        digits = "".join(filter(str.isdigit, offset)).ljust(4, "0")
        minutes = (int(digits[:2]) * 60 + int(digits[2:])) * (-1 if offset.startswith("-") else 1)
        local = datetime.fromtimestamp(moment.replace(tzinfo=UTC).timestamp() + minutes * 60, UTC)
        local = local.replace(microsecond=moment.microsecond, tzinfo=None)
        event = {"eventType": "page_viewed", "occurredAt": local.isoformat() + offset, "props": props, "eventId": key}
        outcomes.append(VALIDATOR.validate(as_json(convert(event))))
    assert outcomes[0] == outcomes[1]
    assert isinstance(outcomes[0], ValidEvent)
