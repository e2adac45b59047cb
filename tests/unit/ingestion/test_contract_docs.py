"""The published schema and page say what the contract says, and the schema agrees with the validator."""

import json
import re
from datetime import date
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion import contract_docs
from ingestion.contract import SECTIONS, Event
from ingestion.validation.event_record import ValidEvent
from ingestion.validation.validator import LineValidator, RejectedLine
from tests.unit.ingestion.conftest import GOOD_EVENT

SCHEMA = jsonschema.Draft202012Validator(contract_docs.event_schema(), format_checker=jsonschema.FormatChecker())
VALIDATOR = LineValidator(landing_date=date(2026, 10, 3), start_date=date(2026, 10, 1))
PAGE = contract_docs.DOCS / contract_docs.PAGE_FILE
OUT_OF_DATE = f"is not what ingestion/contract.py says now: run `{contract_docs.COMMAND}` and commit what it wrote"


def is_accepted(event: Any) -> bool:
    return isinstance(VALIDATOR.validate(json.dumps(event).encode()), ValidEvent)


def test_the_published_schema_is_that_of_the_contract():
    published = (contract_docs.DOCS / contract_docs.SCHEMA_FILE).read_text(encoding="utf-8")
    assert published == contract_docs.schema_text(), f"docs/reference/{contract_docs.SCHEMA_FILE} {OUT_OF_DATE}"


def test_the_page_lists_the_fields_of_the_contract():
    page = PAGE.read_text(encoding="utf-8")
    assert page == contract_docs.page_text(page), f"docs/reference/{contract_docs.PAGE_FILE} {OUT_OF_DATE}"
    for struct in (Event, *SECTIONS.values()):
        for name in struct.__struct_encode_fields__:
            assert f"\n| `{name}` | " in page


def test_the_command_writes_both_and_changes_nothing_that_is_up_to_date(tmp_path):
    (tmp_path / "events.md").write_text(re.sub(r"\| `.*\n", "", PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    contract_docs.main(tmp_path)
    for name in ("events.md", "event.schema.json"):
        assert (tmp_path / name).read_text(encoding="utf-8") == (contract_docs.DOCS / name).read_text(encoding="utf-8")


def test_a_page_without_room_for_the_fields_is_an_error():
    with pytest.raises(ValueError, match="lost the marks"):
        contract_docs.page_text("# Events\n")


def test_the_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(contract_docs.event_schema())


def test_the_examples_of_the_page_are_accepted_by_both():
    examples = re.findall(r"```json\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(examples) == 2
    for example in map(json.loads, examples):
        SCHEMA.validate(example)
        assert is_accepted(example)


@pytest.mark.parametrize(
    "changes",
    [
        {"eventType": None},
        {"eventType": "Asset"},
        {"eventType": "a\n"},
        {"occurredAt": "yesterday"},
        {"occurredAt": "2026-10-03T10:00:00"},
        {"idempotencyKey": 7},
        {"idempotencyKey": "x" * 256},
        {"source": "tv"},
        {"actorType": "robot"},
        {"idempotencyKey": 0.5},
        {"actorId": True},
        {"event_id": None, "entityId": "a", "entityType": ""},
        {"entityType": "car"},
        {"entityType": None},
        {"props": {"revenueCents": -1}},
        {"props": {"revenueCents": 1.5}},
        {"props": {"revenueCents": 10**12 + 1}},
        {"props": {"feeCents": "1"}},
        {"props": {"engagementTime": -0.1}},
        {"props": {"a": {"b": {"c": {}}}}},
        {"props": {"a": 1e39}},
        {"props": {"revenueCents": 1e12 + 1}},
        {"props": {"n": 10**39}},
        {"props": {"n": [1e39]}},
    ],
    ids=str,
)
def test_events_that_are_invalid_by_the_schema_are_rejected(changes):
    event = GOOD_EVENT | changes
    assert not SCHEMA.is_valid(event)
    assert not is_accepted(event)


@pytest.mark.parametrize(
    "changes",
    [
        {"sessionId": "session"},
        {"sessionId": 7},
        {"props": []},
        {"props": "text"},
        {"props": {"userAgent": 7}},
        {"props": {"revenueCents": 129900.0}},
        {"props": {"feeCents": 1.299e5}},
        {"props": {"revenueCents": "", "engagementTime": ""}},
        {"props": {"n": 1e30}},
        {"props": {"n": 10**30}},
        {"attribution": {"utmSource": "x" * 256}},
        {"attribution": {"referrer": "javascript:1"}},
        {"attribution": "news"},
        {"context": {"os": 7}},
        {"context": 5},
        {"source": ""},
        {"receivedAt": ""},
        {"entityType": "", "entityId": ""},
        {"entityType": None, "entityId": " UNDEFINED\t"},
        {"entityType": None, "entityId": "[Object object]"},
        {"entityType": None, "entityId": 0},
        {"idempotencyKey": " "},
        {"actorId": "N/A"},
        {"anonymousId": -1.0},
    ],
    ids=str,
)
def test_events_that_are_accepted_are_valid_by_the_schema(changes):
    event = GOOD_EVENT | changes
    assert is_accepted(event)
    SCHEMA.validate(event)


def _mutations() -> st.SearchStrategy[dict[str, Any]]:
    numbers = st.integers(-5, 5) | st.sampled_from((
        0.0, -0.0, 1.0, 0.5, 1e3, 1e12, 10**12, 1e12 + 1, 1e30, 10**30, 1e38, 1e39, 10**39, 2**63 - 1, 2**63, -1e38,
    ))  # fmt: skip
    texts = st.sampled_from((
        "", " ", "x", "web", "Asset", "api", "undefined", "NULL", " n/a ", "0", "[object Object]", "x" * 256,
        "2026-10-03T10:00:00Z", "https://x.example", "about:blank", "1b4e28ba-2fa1-41d2-883f-0016d3cca427",
    ))  # fmt: skip
    scalars = st.none() | st.booleans() | numbers | texts
    nested = scalars | st.lists(scalars, max_size=2) | st.dictionaries(texts, st.lists(scalars, max_size=1), max_size=1)
    inner = st.dictionaries(st.sampled_from(_KEYS), nested, max_size=3)
    return st.dictionaries(st.sampled_from(Event.__struct_encode_fields__), scalars | inner, max_size=4)


_KEYS = (*(key for struct in SECTIONS.values() for key in struct.__struct_encode_fields__ if key != "doNotTrack"), "x")


@settings(max_examples=1_000, deadline=None)
@given(_mutations())
def test_schema_and_warehouse_agree_on_generated_events(changes):
    event = GOOD_EVENT | changes
    outcome = VALIDATOR.validate(json.dumps(event).encode())
    # A time before the first day, or after it was received, is what a schema cannot say.
    reasons = outcome.reasons if isinstance(outcome, RejectedLine) else ()
    if not any(reason.endswith(("start date", "landing day", "after receivedAt")) for reason in reasons):
        assert SCHEMA.is_valid(event) == isinstance(outcome, ValidEvent), outcome
