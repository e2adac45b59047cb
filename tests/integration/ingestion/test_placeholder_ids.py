"""Strangers whose tracker sends placeholders for their ids are kept apart: each has a session of its own, or none."""

from typing import Any

import pytest

from tests.support.pipeline import START, Pipeline
from warehouse.window import Window

pytestmark = pytest.mark.models("int_sessions")

DAY = Window.day(START)
NIL = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
def untested(pipeline: Pipeline) -> Pipeline:
    pipeline.data_tests = False
    return pipeline


def build(pipeline: Pipeline, lines: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Load and build a day. Returns its sessions: device, actor, events, source."""
    pipeline.land(START, lines)
    pipeline.load(DAY)
    pipeline.build(DAY, "")
    return pipeline.rows(
        "select anonymous_id, actor_id, events, source from intermediate.int_sessions order by anonymous_id, actor_id"
    )


def event(kind: str, key: str, at: str, **more: Any) -> dict[str, Any]:
    return {"eventType": kind, "occurredAt": f"{START}T{at}:00Z", "idempotencyKey": key, "source": "mobile", **more}


def test_phones_that_share_the_nil_session_have_each_a_session_with_its_own_source(untested: Pipeline) -> None:
    lines = []
    for phone in range(6):
        ids = {"anonymousId": f"phone-{phone}", "sessionId": NIL, "ipAssetId": "asset-0"}
        source = {"utmSource": f"src{phone}", "utmMedium": "email"}
        lines += [
            event("asset_viewed", f"view-{phone}", f"1{phone}:00", attribution=source, **ids),
            event("license_created", f"sale-{phone}", f"1{phone}:05", props={"revenueCents": 1_000.0}, **ids),
        ]
    assert build(untested, lines) == [(f"phone-{phone}", None, 2, f"src{phone}") for phone in range(6)]


def test_strangers_whose_device_is_undefined_share_no_session(untested: Pipeline) -> None:
    lines = [
        event(
            "asset_viewed",
            f"view-{minute}",
            f"20:0{minute}",
            anonymousId="undefined",
            attribution={"utmSource": f"src{minute}", "utmMedium": "email"},
        )
        for minute in range(1, 9)
    ]
    lines.append(event("license_created", "sale", "20:30", anonymousId="undefined", actorId="user-x"))
    # The eight visits have no visitor, so that none of them gives its source to the sale.
    assert build(untested, lines) == [(None, "user-x", 1, "(direct)")]
