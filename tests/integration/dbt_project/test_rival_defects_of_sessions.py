"""Defects of other people's session models, each kept out by the least that would show it."""

from typing import Any

import pytest

from tests.support.pipeline import START, Pipeline
from warehouse.window import ONE_DAY, Window

pytestmark = pytest.mark.models("int_sessions")
NEXT = START + ONE_DAY
FIRST, SECOND = Window.day(START), Window.day(NEXT)
SESSIONS = """
    select anonymous_id, to_char(session_started_at at time zone 'UTC', 'DD HH24:MI'), events, session_id
    from intermediate.int_sessions order by 1, 2
"""


@pytest.fixture
def untested(pipeline: Pipeline) -> Pipeline:
    pipeline.data_tests = False
    return pipeline


def build(pipeline: Pipeline, *windows: Window) -> None:
    for window in windows:
        pipeline.load(window)
        pipeline.build(window, "")


def page(at: str, **more: Any) -> dict[str, Any]:
    return {"eventType": "page_viewed", "occurredAt": f"{at}Z", "anonymousId": "phone", **more}


def test_an_earlier_event_that_arrives_days_late_is_counted_and_renumbers_no_session(untested: Pipeline) -> None:
    """Ordinal ids orphan the rows of every later session; a lookback of some hours never sees the event."""
    untested.land(START, [page(f"{START}T10:00:00"), page(f"{START}T15:00:00")])
    untested.land(NEXT, [page(f"{NEXT}T10:00:00")])
    build(untested, FIRST, SECOND)
    before = untested.rows(SESSIONS)
    assert [row[:3] for row in before] == [("phone", "01 10:00", 1), ("phone", "01 15:00", 1), ("phone", "02 10:00", 1)]

    untested.land(START + 9 * ONE_DAY, [page(f"{START}T08:00:00"), page(f"{START}T15:10:00")])
    untested.load(Window.day(START + 9 * ONE_DAY))
    untested.build(FIRST, "")

    earlier, *others = untested.rows(SESSIONS)
    assert earlier[:3] == ("phone", "01 08:00", 1)
    assert [row[3] for row in others] == [row[3] for row in before]
    assert [row[2] for row in others] == [1, 2, 1]


def test_events_without_a_user_agent_are_visits(untested: Pipeline) -> None:
    """`not similar to` on a null is null, and a filter on it drops the row."""
    agents: list[dict[str, Any]] = [{}, {"context": {}}, {"context": {"userAgent": ""}}, {"props": {"userAgent": ""}}]
    untested.land(START, [page(f"{START}T10:0{n}:00", **agent) for n, agent in enumerate(agents)])
    build(untested, FIRST)
    assert [row[:3] for row in untested.rows(SESSIONS)] == [("phone", "01 10:00", len(agents))]


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "America/Los_Angeles"])
def test_days_end_at_midnight_utc_whatever_the_time_zone_of_the_database(untested: Pipeline, zone: str) -> None:
    """A date that is compared with a time is taken for a local midnight."""
    untested.connection.execute(f"alter database warehouse set timezone = '{zone}'")  # type: ignore[call-overload]
    untested.reconnect()
    ana = {"anonymousId": "laptop", "actorId": "ana"}
    server = {"anonymousId": None, "actorId": "ana", "source": "api"}
    untested.land(START, [page(f"{START}T23:50:00", **ana), page(f"{START}T23:59:59.999999")])
    untested.land(NEXT, [page(f"{NEXT}T00:00:00", anonymousId="tablet"), page(f"{NEXT}T00:10:00", **server)])
    untested.load(Window(FIRST.start, SECOND.end))
    expected = [("laptop", "01 23:50", 2), ("phone", "01 23:59", 1), ("tablet", "02 00:00", 1)]
    given = "select count(*) from intermediate.int_events_attributed where event_date = %s and session_date = %s"
    for windows in ([FIRST, SECOND], [Window(FIRST.start, SECOND.end)]):
        build(untested, *windows)
        assert [row[:3] for row in untested.rows(SESSIONS)] == expected
        assert untested.rows(given, NEXT, START) == [(1,)]
