"""Cost follows what changed: which days a rebuilt day makes stale, and that it makes no others."""

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest

from orchestration.dbt import cli_resource
from tests.support.pipeline import START, Pipeline
from warehouse.window import ONE_DAY, Window
from warehouse.writer_lock import writing

pytestmark = pytest.mark.models("int_conversion_paths")

# The history: ana's device comes back and back, ana buys without it. The last day is the first from which none of the
# device's touches can be seen, ben's day has nothing to do with any of this.
BENS_DAY, LAST_TOUCH, OUT_OF_REACH = 5, 4, 35
HISTORY = Window(START, START + (BENS_DAY + 1) * ONE_DAY)
PHONE, ANA, BEN = {"anonymousId": "phone"}, {"actorId": "ana"}, {"actorId": "ben"}
SALE = {"eventType": "license_created", "props": {"revenueCents": 100}}
SIGN_IN = {"eventType": "user_logged_in", **PHONE, **ANA}


def day(offset: int) -> date:
    return START + timedelta(days=offset)


def event(offset: int, at: str, *parts: dict[str, Any]) -> dict[str, Any]:
    merged: dict[str, Any] = {"eventType": "page_viewed", "occurredAt": f"{day(offset)}T{at}Z"}
    for part in parts:
        merged |= part
    return merged


def build(pipeline: Pipeline, window: Window, *, load: bool = True) -> dict[int, set[str]]:
    """Build a window as its files are now. The reasons for which other days have become stale by it, by day."""
    if load:
        pipeline.load(window)
    pipeline.connection.execute("delete from ops.stale_day_marks")
    with pipeline.warehouse.connect(autocommit=True) as lock, writing(lock, str(uuid4()), log=print):
        pipeline.build(window, pipeline.rows("select build_id from ops.writer")[0][0])
    stale: dict[int, set[str]] = {}
    for event_date, reason in pipeline.rows("select event_date, reason from ops.stale_day_marks"):
        stale.setdefault((event_date - START).days, set()).add(reason)
    return stale


@pytest.fixture
def built(pipeline: Pipeline) -> Pipeline:
    pipeline.data_tests = False
    for offset in (0, 1, 3, LAST_TOUCH):
        pipeline.land(day(offset), [event(offset, "10:00:00", PHONE)])
    pipeline.land(day(1), [event(1, "23:50:00", {"anonymousId": "tablet"})], "tablet.ndjson")
    for offset in (2, LAST_TOUCH, OUT_OF_REACH):
        pipeline.land(day(offset), [event(offset, "12:00:00", SALE, ANA)], "sales.ndjson")
    pipeline.land(day(BENS_DAY), [event(BENS_DAY, "12:00:00", SALE, BEN)])
    pipeline.land(day(1), [event(1, "08:00:00", BEN)], "ben.ndjson")
    assert build(pipeline, HISTORY) == {}
    assert build(pipeline, Window.day(day(OUT_OF_REACH))) == {}
    return pipeline


# What a sign-in on day 1 changes: who the phone was when it came back, and the paths that see its touches or its own.
BY_SIGN_IN = {
    2: {"identity_changed", "touchpoints_changed"},
    3: {"identity_changed"},
    LAST_TOUCH: {"identity_changed", "touchpoints_changed"},
}


def test_a_day_that_says_the_same_again_makes_no_day_stale(built: Pipeline) -> None:
    assert build(built, Window.day(day(1))) == {}
    assert build(built, Window(day(0), day(3))) == {}


def test_a_late_event_that_concerns_nobody_else_makes_no_other_day_stale(built: Pipeline) -> None:
    built.land(day(1), [event(1, "15:00:00", {"anonymousId": "newcomer"})], "late.ndjson")
    assert build(built, Window.day(day(1))) == {}


def test_an_event_after_midnight_in_yesterday_s_session_makes_yesterday_stale_and_no_more(built: Pipeline) -> None:
    built.land(day(2), [event(2, "00:05:00", {"anonymousId": "tablet"})], "late.ndjson")
    assert build(built, Window.day(day(2))) == {1: {"sessions_cross_midnight"}}
    assert build(built, Window.day(day(1))) == {}, "the session is longer, and the touch that it is the same"


def test_a_late_sign_in_reaches_the_device_s_later_days_and_the_paths_that_see_it(built: Pipeline) -> None:
    built.land(day(1), [event(1, "15:00:00", SIGN_IN)], "sign-in.ndjson")
    assert build(built, Window.day(day(1))) == BY_SIGN_IN
    assert build(built, HISTORY, load=False) == {}
    seen = "select visitor_id from intermediate.int_sessions where anonymous_id = 'phone' and session_date = %s"
    assert built.rows(seen, day(3)) == [("actor:ana",)]

    # Once it is known, being seen together again makes no link: only the sign-in's own touch is new to later paths.
    built.land(day(3), [event(3, "15:00:00", SIGN_IN)], "sign-in.ndjson")
    assert build(built, Window.day(day(3))) == {LAST_TOUCH: {"touchpoints_changed"}}

    # The file is corrected, the evidence is gone; from day 3 on the other sign-in speaks for the link.
    built.land(day(1), [], "sign-in.ndjson")
    assert build(built, Window.day(day(1))) == {
        2: {"identity_changed", "touchpoints_changed"},
        LAST_TOUCH: {"touchpoints_changed"},
    }
    built.land(day(3), [], "sign-in.ndjson")
    assert build(built, Window.day(day(3))) == {LAST_TOUCH: {"identity_changed", "touchpoints_changed"}}
    assert build(built, HISTORY, load=False) == {}
    assert built.rows(seen, day(3)) == [("anonymous:phone",)]


def test_days_that_are_built_together_and_both_see_a_link_reach_the_days_after_them(built: Pipeline) -> None:
    for offset in (1, 2):
        # A server reports the phone's user; that opens no session, and so adds no touchpoint.
        built.land(day(offset), [event(offset, "15:00:00", SIGN_IN, {"source": "api"})], "sign-in.ndjson")
    assert build(built, Window(day(1), day(3))) == {
        3: {"identity_changed"},
        LAST_TOUCH: {"identity_changed", "touchpoints_changed"},
    }


def test_a_touch_that_goes_together_with_its_link_reaches_the_paths_that_saw_it(built: Pipeline) -> None:
    desk = {"anonymousId": "desk"}
    together = [event(0, "09:00:00", desk), event(0, "15:00:00", SIGN_IN, desk, {"source": "api"})]
    sales = {2: {"identity_changed", "touchpoints_changed"}, LAST_TOUCH: {"identity_changed", "touchpoints_changed"}}
    built.land(day(0), together, "desk.ndjson")
    assert build(built, Window.day(day(0))) == sales
    assert build(built, HISTORY, load=False) == {}

    built.land(day(0), [], "desk.ndjson")
    assert build(built, Window.day(day(0))).keys() == sales.keys()


def test_what_the_last_day_changes_is_not_even_recorded(built: Pipeline) -> None:
    recorded = "select (select count(*) from ops.changed_links), (select count(*) from ops.changed_touchpoints)"
    for offset, found in ((OUT_OF_REACH, [(0, 0)]), (BENS_DAY, [(1, 1)])):
        built.land(day(offset), [event(offset, "15:00:00", SIGN_IN)], "sign-in.ndjson")
        built.load(Window.day(day(offset)))
        models = ["--select", "int_identity_observations", "int_events_sessionized", "int_sessions"]
        built.dbt([*cli_resource.build_arguments(Window.day(day(offset))), *models])
        assert built.rows(recorded) == found
