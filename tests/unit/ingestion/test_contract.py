"""The declared event and what is derived from it."""

import json
from typing import get_args

import msgspec
import pytest

from ingestion import contract, schema


def test_the_json_schema_holds_the_limits_of_the_contract():
    definitions = contract.json_schema()["$defs"]
    event = definitions["Event"]
    assert event["required"] == ["eventType", "occurredAt"]
    assert set(event["properties"]) == {
        "eventType",
        "occurredAt",
        "receivedAt",
        "idempotencyKey",
        "eventId",
        "source",
        "actorId",
        "actorType",
        "anonymousId",
        "sessionId",
        "entityType",
        "entityId",
        "ipAssetId",
        "projectId",
        "licenseId",
        "props",
        "attribution",
        "context",
    }
    assert definitions["Attribution"]["properties"]["utmSource"]["anyOf"][0]["maxLength"] == 255
    assert definitions["Props"]["properties"]["revenueCents"]["anyOf"][0]["maximum"] == 10**12
    assert json.loads(json.dumps(contract.json_schema())) == contract.json_schema()


def test_attribution_is_stored_field_by_field_in_the_order_of_its_declaration():
    sent = [name for name in schema.ATTRIBUTION_COLUMN_NAMES if not name.endswith("_normalized")]
    assert contract.Attribution.__struct_fields__ == tuple(sent)
    assert schema.ATTRIBUTION_COLUMN_NAMES[-len(contract.CLICK_IDS) :] == contract.CLICK_IDS
    assert contract.Attribution.__struct_fields__[7:] == contract.CLICK_IDS


@pytest.mark.parametrize("struct", [contract.Event, *contract.SECTIONS.values()])
def test_every_field_says_what_it_must_be(struct):
    for field in msgspec.structs.fields(struct):
        is_free = (
            field.type in get_args(contract.Any)
            or field.type is contract.Any
            or field.name in ("attribution", "context")
        )
        assert is_free or contract.expectation(field.type) != "what the contract says", field.name
