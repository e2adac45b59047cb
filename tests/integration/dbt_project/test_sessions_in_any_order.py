"""The law of the house where days depend on each other most: sessions that cross midnight, links, touchpoints, paths
and credits. Small sets of events arrive in pieces, late, corrected, and the days are built in any order; once no day is
stale every table is the same as when all of it is built at once from nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.support.pipeline import START, Pipeline
from warehouse.window import ONE_DAY, Window

DAYS = 3
WINDOW = Window(START, START + DAYS * ONE_DAY)
MIDNIGHT = datetime(START.year, START.month, START.day, tzinfo=UTC)
# When a file has an event: all three times that it is landed, not the first, not before the last, or until the last.
ALWAYS, LATE, LATER, AT_FIRST = (0, 1, 2), (1, 2), (2,), (0, 1)

# Few values, so that events meet: at the ends of half an hour, around midnight, on devices of two actors.
MOMENTS = [
    timedelta(minutes=minutes, microseconds=microseconds)
    for minutes, microseconds in [
        (0, 0),
        (5, 0),
        (12, 0),
        (30, -1),
        (30, 0),
        (41, 0),
        (720, 0),
        (730, 0),
        (1415, 0),
        (1425, 0),
    ]
] + [timedelta(days=1, microseconds=-1)]
SESSION = "22222222-2222-4222-8222-222222222222"
TRACKED = {"sessionId": "11111111-1111-4111-8111-111111111111"}
DEVICE, OTHER_DEVICE = {"anonymousId": "device-0"}, {"anonymousId": "device-1"}
ANA, BEN = {"actorId": "ana"}, {"actorId": "ben"}
WHO: list[dict[str, str]] = [
    DEVICE, OTHER_DEVICE, ANA, TRACKED, DEVICE | ANA, DEVICE | BEN, OTHER_DEVICE | ANA, TRACKED | OTHER_DEVICE,
    TRACKED | ANA, ANA | {"source": "api"}, ANA | {"source": "webhook"}, BEN | {"source": "api"}, {},
]  # fmt: skip
WHAT: list[dict[str, Any]] = [
    {"eventType": "asset_viewed", "ipAssetId": "asset-0", "props": {"path": "/a", "engagementTime": 2.5}},
    {"eventType": "page_viewed"},
    {"eventType": "page_viewed", "attribution": {"utmSource": "newsletter", "utmMedium": "email"}},
    {"eventType": "asset_viewed", "ipAssetId": "asset-0", "attribution": {"referrer": "https://blog.example/"}},
    {"eventType": "license_created", "projectId": "project-0", "props": {"revenueCents": 100}},
    {"eventType": "page_viewed", "context": {"deviceType": "mobile"}},
    {"eventType": "page_viewed", "context": {"userAgent": "Googlebot/2.1 (+http://www.google.com/bot.html)"}},
]


@dataclass(frozen=True)
class Sent:
    """An event of the tracker's, and when the landing file of its day has it."""

    day: int
    moment: timedelta
    who: dict[str, str]
    what: dict[str, Any]
    present: Sequence[int] = ALWAYS
    key: str = ""

    def event(self, number: int) -> dict[str, Any]:
        at = MIDNIGHT + self.day * ONE_DAY + self.moment
        return {"idempotencyKey": self.key or f"event-{number}", "occurredAt": at.isoformat(), **self.who, **self.what}


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


SENT = st.builds(
    Sent,
    st.integers(0, DAYS - 1),
    st.sampled_from(MOMENTS),
    st.sampled_from(WHO),
    st.sampled_from(WHAT),
    st.sampled_from([ALWAYS, ALWAYS, LATE, LATER, AT_FIRST]),
)
ORDERS = st.permutations(list(WINDOW.days()))
PAGE = WHAT[1]


# What was once missed, each by people of its own. A day that has to follow a change has none itself at that time, since
# days that are built together come out right.
ONCE_MISSED = [
    # After midnight a server's event follows its actor into a session that begins there on another device.
    Sent(0, minutes(1435), {"actorId": "cem", "anonymousId": "phone of cem"}, PAGE),
    Sent(1, minutes(5), {"actorId": "cem", "anonymousId": "laptop of cem"}, PAGE),
    Sent(1, minutes(12), {"actorId": "cem", "source": "api"}, PAGE),
    Sent(0, minutes(720), {"anonymousId": "somebody else"}, PAGE, LATER),
    # What follows midnight is corrected in a column that no session shows.
    Sent(1, minutes(720), {"sessionId": SESSION, "actorId": "dua"}, PAGE),
    Sent(2, minutes(720), {"sessionId": SESSION, "actorId": "dua"}, PAGE),
    Sent(2, minutes(721), {"sessionId": SESSION, "anonymousId": "a mistake"}, PAGE, AT_FIRST, key="corrected"),
    Sent(2, minutes(721), {"sessionId": SESSION}, PAGE, LATER, key="corrected"),
    # In the middle of the next day a server's event joins a session that lasts till then.
    Sent(2, minutes(730), {"actorId": "dua", "source": "api"}, PAGE),
]


def land(pipeline: Pipeline, sent: Sequence[Sent], time: int) -> None:
    for offset, day in enumerate(WINDOW.days()):
        events = [one.event(number) for number, one in enumerate(sent) if one.day == offset and time in one.present]
        pipeline.land(day, events)


def arrive_in_pieces(
    pipeline: Pipeline, sent: Sequence[Sent], order: Iterable[date], other_order: Iterable[date]
) -> None:
    """Days are built one by one as the first files stand; then files change, all at once and a day after the other."""
    land(pipeline, sent, 0)
    pipeline.load(WINDOW)
    for day in order:
        pipeline.run(Window.day(day), load=False)
    land(pipeline, sent, 1)
    pipeline.load(WINDOW)
    pipeline.catch_up()
    land(pipeline, sent, 2)
    for day in other_order:
        pipeline.load(Window.day(day))
    pipeline.catch_up()


@pytest.mark.slow
@pytest.mark.models
@settings(max_examples=4, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(sent=st.lists(SENT, min_size=9, max_size=14), order=ORDERS, other_order=ORDERS)
@example(sent=ONCE_MISSED, order=list(WINDOW.days()), other_order=list(WINDOW.days()))
def test_sessions_links_and_credits_do_not_depend_on_the_order_of_arrival(
    pipeline: Pipeline, sent: list[Sent], order: list[date], other_order: list[date]
) -> None:
    # What equals tables that were tested needs no tests of its own.
    pipeline.data_tests = False
    pipeline.wipe()
    land(pipeline, sent, 2)
    pipeline.run(WINDOW)
    assert pipeline.catch_up() == [], "a rebuild from nothing leaves no day stale"
    expected = pipeline.contents()

    pipeline.wipe()
    arrive_in_pieces(pipeline, sent, order, other_order)
    actual = pipeline.contents()
    for table, rows in expected.items():
        assert actual[table] == rows, table
