"""The tracker writes what the warehouse accepts, says what it does not write, and never raises."""

from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

import pytest

from ingestion.tracking import Tracked, Tracker, TrackingContext
from ingestion.tracking.tracker import DO_NOT_TRACK
from ingestion.validation.event_record import ValidEvent
from ingestion.validation.validator import LineValidator
from tests.support.stored_values import values_of
from tests.unit.ingestion.tracking.conftest import NOW, Lines

WEB = TrackingContext(source="web", anonymous_id="device-1")


def test_an_event_is_written_with_its_context_time_and_key(tracker: Tracker, sink: Lines) -> None:
    result = tracker.track(
        "asset_viewed", WEB.signed_in("user-1", "Creator"), entity_type="asset", entity_id="a1", props={"path": "/a1"}
    )
    assert result.tracked
    assert sink.events == [
        {
            "eventType": "asset_viewed",
            "entityType": "asset",
            "entityId": "a1",
            "props": {"path": "/a1"},
            "source": "web",
            "actorId": "user-1",
            "actorType": "creator",
            "anonymousId": "device-1",
            "idempotencyKey": result.event_id,
            "occurredAt": "2026-10-05T12:00:00.250+00:00",
            "receivedAt": "2026-10-05T12:00:00.250+00:00",
        }
    ]


def test_an_event_without_a_key_gets_one_of_its_own(tracker: Tracker) -> None:
    first, second = tracker.track("page_viewed"), tracker.track("page_viewed")
    assert str(UUID(first.event_id)) == first.event_id
    assert first.event_id != second.event_id


def test_a_retry_with_what_was_returned_is_the_same_event_for_the_warehouse(tracker: Tracker, sink: Lines) -> None:
    first = tracker.track("page_viewed", WEB)
    tracker.track("page_viewed", WEB, occurred_at=first.occurred_at, idempotency_key=first.event_id)
    validator = LineValidator(landing_date=NOW.date(), start_date=date(2026, 10, 1))
    stored = [validator.validate(line) for line in sink.lines]
    assert all(isinstance(outcome, ValidEvent) for outcome in stored)
    assert values_of(stored[0])[:3] == values_of(stored[1])[:3]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "event",
    [
        {"eventType": "page_viewed", "idempotencyKey": "k-1", "occurredAt": "2026-10-05T11:59:59Z"},
        {"event_type": "page_viewed", "event_id": "k-1", "occurred_at": "2026-10-05T11:59:59Z"},
    ],
)
def test_an_event_from_a_page_keeps_its_own_key_and_time(event: dict[str, Any], tracker: Tracker, sink: Lines) -> None:
    assert tracker.track_event(event) == Tracked(True, "k-1", "2026-10-05T11:59:59Z")
    assert sink.events[0]["receivedAt"] == "2026-10-05T12:00:00.250+00:00"


def test_what_the_server_knows_counts_more_than_what_the_page_says(tracker: Tracker, sink: Lines) -> None:
    claimed = {
        "eventType": "page_viewed",
        "actorId": "somebody-else",
        "source": "system",
        "sessionId": "1b4e28ba-2fa1-41d2-883f-0016d3cca427",
        "context": {"userAgent": "A", "os": "B", "ipAddress": "203.0.113.9"},
    }
    tracker.track_event(claimed, TrackingContext(source="web", actor_id="user-1", user_agent="Agent"))
    event = sink.events[0]
    assert (event["actorId"], event["source"]) == ("user-1", "web")
    assert event["sessionId"] == "1b4e28ba-2fa1-41d2-883f-0016d3cca427"
    assert event["context"] == {"userAgent": "Agent", "os": "B"}


@pytest.mark.parametrize("key", ["ipAddress", "ip_address", "ip", "clientIp", "x-forwarded-for", "remoteAddr"])
def test_an_ip_address_is_never_written(key: str, tracker: Tracker, sink: Lines) -> None:
    address = {key: "203.0.113.9"}
    for event in (address, {"context": address}, {"props": address}, {"props": {"requests": [address]}}):
        assert tracker.track_event({"eventType": "page_viewed"} | event).tracked
        assert tracker.track_event({"event_type": "page_viewed"} | event).tracked
    assert len(sink.lines) == 8
    assert b"203.0.113.9" not in b"".join(sink.lines)


def test_the_user_agent_is_written_for_the_warehouse_to_parse(tracker: Tracker, sink: Lines) -> None:
    tracker.track("page_viewed", TrackingContext(source="web", user_agent="Agent/1.0"))
    tracker.track("page_viewed", props={"userAgent": "Agent/1.0"})
    assert [event.get("context", event.get("props")) for event in sink.events] == [{"userAgent": "Agent/1.0"}] * 2


NAN = "NaN or infinite, which JSON cannot hold"


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ({"props": {"revenueCents": float("nan")}}, f"props.revenueCents: {NAN}"),
        ({"props": {"engagementTime": float("inf")}}, f"props.engagementTime: {NAN}"),
        ({"props": {"items": [{"price": 1.5}, {"price": -float("inf")}]}}, f"props.items[1].price: {NAN}"),
        ({"anything": float("nan")}, f"anything: {NAN}"),
        ({"attribution": {"utmSource": float("nan")}}, f"attribution.utmSource: {NAN}"),
        ({"context": {"os": {"iOS"}}}, "context.os: a value of type set, which JSON cannot hold"),
        ({"props": {"tags": {"a", "b"}}}, "props.tags: a value of type set, which JSON cannot hold"),
        ({"props": {"price": Decimal("12.50")}}, "props.price: a value of type Decimal, which JSON cannot hold"),
        ({"props": {"body": b"bytes"}}, "props.body: a value of type bytes, which JSON cannot hold"),
        ({"props": {"n": 10**400}}, "props.n: a number that is too large, which JSON cannot hold"),
        ({"props": {"n": 10**5_000}}, "props.n: a number that is too large, which JSON cannot hold"),
        ({"props": {1: "a"}}, "props: a key that is no text, which JSON cannot hold"),
        ({"props": {"a": {None: 1}}}, "props.a: a key that is no text, which JSON cannot hold"),
        ({"props": {"title": "\ud800"}}, "props.title: half a character (a lone surrogate), which JSON cannot hold"),
        ({"props": {"jane@example.com": object()}}, "props....: a value of type object, which JSON cannot hold"),
    ],
    ids=lambda value: value if isinstance(value, str) else "event",
)
def test_a_value_that_json_cannot_hold_is_refused_by_its_field(
    event: dict[str, Any], reason: str, tracker: Tracker, sink: Lines
) -> None:
    assert tracker.track_event({"eventType": "license_created"} | event) == Tracked(False, reasons=(reason,))
    assert sink.lines == []


@pytest.mark.parametrize("text", ["launch \ud83d", "launch\0"])
def test_a_descriptive_text_that_cannot_be_stored_loses_no_event(text: str, tracker: Tracker, sink: Lines) -> None:
    event = {"eventType": "page_viewed", "attribution": {"utmCampaign": text, "utmSource": "news"}}
    assert tracker.track_event(event).tracked
    validator = LineValidator(landing_date=date(2026, 10, 5), start_date=date(2026, 10, 1))
    loaded = validator.validate(sink.lines[0])
    assert isinstance(loaded, ValidEvent)
    assert [(note.outcome, note.field) for note in loaded.notes] == [("dropped_fields", "attribution.utmCampaign")]


def test_what_has_a_form_of_its_own_in_json_is_tracked(tracker: Tracker, sink: Lines) -> None:
    class Plan(StrEnum):
        FULL = "full"

    moment = datetime(2026, 10, 5, 11, tzinfo=UTC)
    result = tracker.track(
        "page_viewed",
        TrackingContext(source="web", session_id=UUID("1b4e28ba-2fa1-41d2-883f-0016d3cca427")),
        occurred_at=moment,
        props={"plan": Plan.FULL, "at": moment, "day": moment.date(), "pair": (1, 2.5), "large": 10**30},
    )
    assert result.tracked
    assert sink.events[0]["props"] == {
        "plan": "full", "at": "2026-10-05T11:00:00+00:00", "day": "2026-10-05", "pair": [1, 2.5], "large": 10**30,
    }  # fmt: skip


@pytest.mark.parametrize("name", ["idempotencyKey", "eventId"])
@pytest.mark.parametrize("key", ["undefined", " NULL ", "0", 0, "", " "])
def test_a_placeholder_is_no_key_to_retry_by(name: str, key: object, tracker: Tracker, sink: Lines) -> None:
    results = [tracker.track_event({"eventType": "page_viewed", name: key}) for _ in range(2)]
    assert all(result.tracked for result in results)
    assert len({result.event_id for result in results}) == 2
    validator = LineValidator(landing_date=NOW.date(), start_date=date(2026, 10, 1))
    assert [validator.validate(line).event_key for line in sink.lines] == [result.event_id for result in results]


def test_two_spellings_that_differ_are_left_for_the_warehouse_to_count(tracker: Tracker, sink: Lines) -> None:
    event = {
        "eventType": "page_viewed",
        "actorId": "a",
        "actor_id": "b",
        "context": {"deviceType": "x", "device_type": "y"},
    }
    assert tracker.track_event(event).tracked
    assert tracker.track_event(event, TrackingContext(source="web", actor_id="c", device_type="z")).tracked
    validator = LineValidator(landing_date=NOW.date(), start_date=date(2026, 10, 1))
    first, second = (validator.validate(line) for line in sink.lines)
    assert (first.actor_id, [note.field for note in first.notes]) == (None, ["actorId", "context.deviceType"])
    assert (second.actor_id, second.device.device_type, second.notes) == ("c", "z", ())
    assert tracker.track_event({"eventType": "a", "event_type": "b"}).reasons == (
        "eventType: given twice with different values, also as event_type",
    )


@pytest.mark.parametrize("answer", [True, 1, 1.0, "1", "yes", "TRUE", "maybe", float("nan"), Decimal(0), [], object()])
@pytest.mark.parametrize("source", ["web", "mobile", "Web", "API"])
def test_who_declines_on_a_device_is_not_written(
    answer: Any, source: str, tracker: Tracker, sink: Lines, caplog: pytest.LogCaptureFixture
) -> None:
    result = tracker.track("page_viewed", TrackingContext(source=source, do_not_track=answer))
    assert result == Tracked(False, reasons=(DO_NOT_TRACK,))
    assert sink.lines == []
    assert caplog.messages == []


def test_what_the_product_does_by_itself_is_tracked_whatever_a_browser_says(tracker: Tracker) -> None:
    assert tracker.track("job_completed", TrackingContext(source="system", do_not_track=True)).tracked
    for answer in (None, False, 0, 0.0, "", "0", "off", " No ", "UNSPECIFIED"):
        assert tracker.track("page_viewed", TrackingContext(source="web", do_not_track=answer)).tracked


@pytest.mark.parametrize(
    "answer", [{"doNotTrack": 1}, {"do_not_track": "1"}, {"doNotTrack": False, "do_not_track": True}]
)
def test_a_refusal_counts_wherever_it_stands_and_whatever_else_is_wrong(
    answer: dict[str, Any], tracker: Tracker, sink: Lines, caplog: pytest.LogCaptureFixture
) -> None:
    declined = Tracked(False, reasons=(DO_NOT_TRACK,))
    for event in (answer, {"context": answer}, {"props": answer}):
        for rest in ({"eventType": "page_viewed"}, {"eventType": "?"}, {"event_type": {1}}, {"source": "tv"}):
            assert tracker.track_event(rest | event) == declined
            # Neither takes the server it back.
            assert tracker.track_event(rest | event, TrackingContext(source="web", do_not_track=False)) == declined
    assert (sink.lines, caplog.messages) == ([], [])


def test_every_reason_against_an_event_is_returned_and_nothing_is_written(tracker: Tracker, sink: Lines) -> None:
    result = tracker.track("Asset Viewed", entity_id="a1", occurred_at=datetime(2026, 10, 5, 12))  # noqa: DTZ001
    assert not result.tracked
    assert [reason.partition(":")[0] for reason in result.reasons] == ["eventType", "occurredAt", "entityType"]
    assert sink.lines == []


def test_what_comes_before_the_warehouse_begins_is_refused(sink: Lines) -> None:
    tracker = Tracker(sink, start_date=date(2026, 10, 1), clock=lambda: NOW)
    result = tracker.track("page_viewed", occurred_at="2026-09-30T23:59:59Z")
    assert result.reasons == ("occurredAt: before the warehouse's start date",)


def test_a_mistake_is_logged_once_and_quotes_nothing(tracker: Tracker, caplog: pytest.LogCaptureFixture) -> None:
    for number in range(3):
        tracker.track(f"Secret {number}")
    tracker.track("page_viewed", props={"revenueCents": -1})
    assert len(caplog.messages) == 2
    assert "eventType" in caplog.messages[0]
    assert "Secret" not in caplog.text


def test_a_batch_is_judged_event_by_event(tracker: Tracker, sink: Lines) -> None:
    batch = tracker.track_batch([{"eventType": "page_viewed"}, {"eventType": "?"}, {"eventType": "cta_clicked"}], WEB)
    assert [result.tracked for result in batch.results] == [True, False, True]
    assert batch.tracked == 2
    assert [event["anonymousId"] for event in sink.events] == ["device-1", "device-1"]


@pytest.mark.parametrize(("size", "tracked"), [(0, 0), (1, 1), (50, 50), (51, 0)])
def test_a_batch_has_1_to_50_events(size: int, tracked: int, tracker: Tracker, sink: Lines) -> None:
    batch = tracker.track_batch([{"eventType": "page_viewed"}] * size)
    assert batch.tracked == len(sink.lines) == tracked
    assert bool(batch.reasons) == (tracked == 0)


def test_after_closing_nothing_is_tracked(sink: Lines) -> None:
    with Tracker(sink) as tracker:
        assert tracker.track("page_viewed").tracked
    assert tracker.track("page_viewed") == Tracked(False, reasons=("tracker: closed",))
