"""The published schema and page say what the contract says, and the schema agrees with the validator."""

import json
import re
from datetime import date
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion import event_docs
from ingestion.contract import SECTIONS, Event
from ingestion.validation.stored import Accepted
from ingestion.validation.validator import LineValidator
from tests.unit.ingestion.conftest import GOOD_EVENT

SCHEMA = jsonschema.Draft202012Validator(event_docs.event_schema(), format_checker=jsonschema.FormatChecker())
VALIDATOR = LineValidator(landing_date=date(2026, 10, 3), start_date=date(2026, 10, 1))
PAGE = event_docs.DOCS / event_docs.PAGE_FILE
OUT_OF_DATE = f"is not what ingestion/contract.py says now: run `{event_docs.COMMAND}` and commit what it wrote"


def is_accepted(event: Any) -> bool:
    return isinstance(VALIDATOR.validate(json.dumps(event).encode()), Accepted)


def test_the_published_schema_is_that_of_the_contract():
    published = (event_docs.DOCS / event_docs.SCHEMA_FILE).read_text(encoding="utf-8")
    assert published == event_docs.schema_text(), f"docs/{event_docs.SCHEMA_FILE} {OUT_OF_DATE}"


def test_the_page_lists_the_fields_of_the_contract():
    page = PAGE.read_text(encoding="utf-8")
    assert page == event_docs.page_text(page), f"docs/{event_docs.PAGE_FILE} {OUT_OF_DATE}"
    for struct in (Event, *SECTIONS.values()):
        for name in struct.__struct_encode_fields__:
            assert f"\n| `{name}` | " in page


def test_the_command_writes_both_and_changes_nothing_that_is_up_to_date(tmp_path):
    (tmp_path / "events.md").write_text(re.sub(r"\| `.*\n", "", PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    event_docs.main(tmp_path)
    for name in ("events.md", "event.schema.json"):
        assert (tmp_path / name).read_text(encoding="utf-8") == (event_docs.DOCS / name).read_text(encoding="utf-8")


def test_a_page_without_room_for_the_fields_is_an_error():
    with pytest.raises(ValueError, match="lost the marks"):
        event_docs.page_text("# Events\n")


def test_the_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(event_docs.event_schema())


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
        {"sessionId": "session"},
        {"entityType": "car"},
        {"entityType": None},
        {"props": []},
        {"props": {"revenueCents": -1}},
        {"props": {"revenueCents": 1.5}},
        {"props": {"revenueCents": 10**12 + 1}},
        {"props": {"feeCents": "1"}},
        {"props": {"engagementTime": -0.1}},
        {"props": {"a": {"b": {"c": {}}}}},
        {"props": {"a": 1e39}},
        {"props": {"userAgent": 7}},
        {"attribution": {"utmSource": "x" * 256}},
        {"attribution": {"referrer": "javascript:1"}},
        {"attribution": "news"},
        {"context": {"os": 7}},
    ],
    ids=str,
)
def test_what_the_schema_refuses_the_warehouse_refuses(changes):
    event = GOOD_EVENT | changes
    assert not SCHEMA.is_valid(event)
    assert not is_accepted(event)


def _mutations() -> st.SearchStrategy[dict[str, Any]]:
    scalars = (
        st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from((0.5, 1e30, 2**63 - 1, "x", "web", "asset"))
    )
    inner = st.dictionaries(st.sampled_from(("revenueCents", "path", "utmTerm", "os", "x")), scalars, max_size=2)
    return st.dictionaries(st.sampled_from(Event.__struct_encode_fields__), scalars | inner, max_size=3)


@given(_mutations())
def test_what_the_schema_takes_the_warehouse_takes(changes):
    event = GOOD_EVENT | changes
    if SCHEMA.is_valid(event) and not (changes.get("context") or {}).get("doNotTrack"):
        assert is_accepted(event), VALIDATOR.validate(json.dumps(event).encode())
