"""Keys in camelCase and snake_case give one event."""

import pytest

from ingestion.validation.key_normalization import has_duplicate_keys, is_camel, normalize_keys


@pytest.mark.parametrize(
    "document",
    [
        {"event_type": "x"},
        {"props": {"revenue_cents": 1}},
        {"attribution": {"utm_source": "x"}},
        {"context": {"do_not_track": 1}},
    ],
)
def test_a_known_key_in_snake_case_is_noticed(document):
    assert not is_camel(document)


def test_unknown_keys_are_not_normalized():
    document = {
        "own_key": 1,
        "props": {"own_key": 1, "actor_id": 2},
        "attribution": "utm_source",
        "context": ["user_agent"],
    }
    assert is_camel(document)
    assert normalize_keys(document).sent == document


def test_sent_fields_keep_their_nulls_and_present_fields_have_none():
    document = {"actor_id": None, "source": "", "own": None, "props": {"revenue_cents": None, "own": ""}}
    assert normalize_keys(document).sent == {
        "actorId": None,
        "source": "",
        "own": None,
        "props": {"revenueCents": None, "own": ""},
    }
    assert normalize_keys(document).present == {"own": None, "props": {"own": ""}}


def test_a_document_is_not_changed_by_normalization():
    document = {"actor_id": "x", "props": {"fee_cents": 1}}
    normalize_keys(document)
    assert document == {"actor_id": "x", "props": {"fee_cents": 1}}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a":1,"a":1}', True),
        ('[{"b":{"a":1,"\\u0061":1}}]', True),
        ('{"a":{"a":1},"b":[{"a":1},{"a":1}]}', False),
        ("{}", False),
    ],
)
def test_a_key_is_twice_only_inside_one_object(text, expected):
    assert has_duplicate_keys(text) is expected
