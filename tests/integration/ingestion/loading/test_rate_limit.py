"""The limit of events that one visitor may have in one clock minute; most tests lower it to two."""

from datetime import date
from typing import Any

import pytest

from ingestion.deduplication import rate_limit
from tests.integration.ingestion.loading import model
from tests.integration.ingestion.loading.raw_tables import RawTables, event

DAY = date(2026, 10, 2)
NEXT_DAY = date(2026, 10, 3)


def of_minute(key: str, second: float, **more: Any) -> dict[str, Any]:
    """An event of visitor v in the minute 10:00, received in the second after it."""
    received = f"2026-10-02T10:01:{second:02}Z"
    return event(key, f"2026-10-02T10:00:{second:02}Z", **{"anonymousId": "v", "receivedAt": received, **more})


def test_a_visitor_has_a_hundred_events_a_minute(raw: RawTables) -> None:
    assert rate_limit.EVENTS_PER_MINUTE == 100
    raw.land(DAY, [of_minute(f"{n:03}", 59 - n % 60, receivedAt="2026-10-02T11:00:00Z") for n in range(101)])
    report = raw.load(DAY)
    assert (report.accepted, report.rejected) == (100, 1)
    # All were received at once, so the last to occur is the one too many; of two, the greater key.
    assert raw.keys("raw.rejected_events") == ["060"]
    assert raw.rows("select reasons from raw.rejected_events") == [(["rate_limited"],)]


def test_a_minute_is_a_clock_minute(raw: RawTables, limit_of_two: int) -> None:
    moments = ["09:59:59.999999", "10:00:00", "10:00:59.999999", "10:01:00", "10:01:30"]
    raw.land(DAY, [event(at, f"2026-10-02T{at}Z", anonymousId="v") for at in moments])
    assert raw.load(DAY).rejected == 0


def test_the_limit_is_over_all_files_and_landing_days(raw: RawTables, limit_of_two: int) -> None:
    raw.land(DAY, [of_minute("a", 1)], "a.ndjson")
    raw.land(DAY, [of_minute("b", 2)], "b.ndjson")
    raw.land(NEXT_DAY, [of_minute("c", 3)])
    raw.load(DAY)
    assert raw.load(NEXT_DAY).rejected == 1
    assert raw.keys() == ["a", "b"]


def test_an_event_received_earlier_that_comes_late_displaces_a_later_one(raw: RawTables, limit_of_two: int) -> None:
    raw.land(DAY, [of_minute("b", 2), of_minute("c", 3, attribution={"utmSource": "x"})])
    raw.load(DAY)
    last_change = raw.last_change()
    raw.land(NEXT_DAY, [of_minute("a", 1)])
    report = raw.load(NEXT_DAY)
    assert (report.accepted, report.rejected) == (1, 0)
    assert raw.keys() == ["a", "b"]
    assert raw.keys("raw.rejected_events") == ["c"]
    assert raw.rows("select * from raw.attribution") == []
    assert raw.ledger()["events/dt=2026-10-02/part-0.ndjson"] == model.Counts(2, 1, 1, 0, 0)
    assert raw.changed_days(last_change) == {DAY}
    raw.assert_ledger_adds_up()


def test_a_limited_event_is_reinstated_whole_when_its_minute_clears(raw: RawTables, limit_of_two: int) -> None:
    last = of_minute("c", 3, props={"revenueCents": 3, "note": "é"}, attribution={"utmSource": "x"}, actorId="u")
    raw.land(DAY, [last], "c.ndjson")
    raw.load(DAY)
    alone = raw.contents()
    others = [of_minute("a", 1, actorId="u"), of_minute("b", 2, actorId="u")]
    raw.land(DAY, others, "ab.ndjson")
    raw.load(DAY)
    assert raw.keys() == ["a", "b"]
    last_change = raw.last_change()
    raw.land(DAY, [], "ab.ndjson")
    raw.load(DAY)
    assert raw.contents() == alone
    assert raw.changed_days(last_change) == {DAY}
    raw.assert_ledger_adds_up()


def test_only_as_many_limited_events_are_reinstated_as_there_is_room(raw: RawTables, limit_of_two: int) -> None:
    raw.land(DAY, [of_minute("a", 1)], "a.ndjson")
    raw.land(DAY, [of_minute(key, n) for n, key in enumerate("bcde", 2)], "rest.ndjson")
    raw.load(DAY)
    raw.land(DAY, [], "a.ndjson")
    raw.load(DAY)
    assert raw.keys() == ["b", "c"]
    assert raw.keys("raw.rejected_events") == ["d", "e"]


def test_copies_do_not_count_towards_the_limit(raw: RawTables, limit_of_two: int) -> None:
    raw.land(DAY, [of_minute("a", 1), of_minute("a", 1), of_minute("a", 2), of_minute("b", 3)])
    report = raw.load(DAY)
    assert (report.accepted, report.rejected, report.duplicates) == (2, 0, 2)


def test_a_limited_event_keeps_its_claim_to_its_key(raw: RawTables, limit_of_two: int) -> None:
    """Otherwise a limited visitor's events would come in by being sent again."""
    raw.land(DAY, [of_minute("a", 1), of_minute("b", 2), of_minute("c", 3)])
    raw.load(DAY)
    raw.land(NEXT_DAY, [of_minute("c", 3, receivedAt="2026-10-02T12:00:00Z", anonymousId="other")])
    report = raw.load(NEXT_DAY)
    assert (report.accepted, report.duplicates) == (0, 1)
    assert raw.keys() == ["a", "b"]


def test_a_better_copy_of_a_limited_event_takes_its_place_under_the_limit(raw: RawTables, limit_of_two: int) -> None:
    raw.land(DAY, [of_minute("a", 1), of_minute("b", 2), of_minute("c", 3)])
    raw.load(DAY)
    raw.land(NEXT_DAY, [of_minute("c", 3, receivedAt="2026-10-02T10:01:00Z")])
    raw.load(NEXT_DAY)
    assert raw.keys() == ["a", "c"]
    assert raw.keys("raw.rejected_events") == ["b"]
    assert raw.keys("raw.duplicate_events") == ["c"]
    raw.assert_ledger_adds_up()


SESSION = "1b4e28ba-2fa1-41d2-883f-0016d3cca427"


@pytest.mark.parametrize(
    ("who", "limited"),
    [
        ({"actorId": "v", "anonymousId": None, "sessionId": SESSION}, 1),
        ({"sessionId": SESSION, "anonymousId": None}, 1),
        ({"source": "mobile"}, 1),
        ({"anonymousId": None}, 0),
        ({"source": "api"}, 0),
        ({"source": "system"}, 0),
        ({"source": "webhook"}, 0),
    ],
)
def test_the_limit_is_of_web_and_mobile_by_actor_else_device_else_session(
    raw: RawTables, limit_of_two: int, who: dict[str, Any], limited: int
) -> None:
    raw.land(DAY, [of_minute(key, n, **who) for n, key in enumerate("abc")])
    assert raw.load(DAY).rejected == limited


def test_an_actor_is_not_the_device_of_the_same_name(raw: RawTables, limit_of_two: int) -> None:
    raw.land(DAY, [of_minute(key, n) for n, key in enumerate("ab")])
    raw.land(DAY, [of_minute(key, n, anonymousId="w", actorId="v") for n, key in enumerate("cd")], "actor.ndjson")
    assert raw.load(DAY).rejected == 0


def test_web_and_mobile_share_one_limit(raw: RawTables, limit_of_two: int) -> None:
    raw.land(DAY, [of_minute("a", 1), of_minute("b", 2, source="mobile"), of_minute("c", 3)])
    assert raw.load(DAY).rejected == 1
