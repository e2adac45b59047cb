"""The tracker with sinks that fail and events of any kind: it never raises."""

import logging
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.tracking import Tracked, Tracker, TrackingContext
from ingestion.validation.event_record import ValidEvent
from ingestion.validation.validator import LineValidator
from tests.unit.ingestion.tracking.conftest import NOW, Lines

WEB = TrackingContext(source="web", anonymous_id="device-1")


class Failing(Lines):
    def write(self, line: bytes, arrived_at: datetime) -> bool:  # noqa: ARG002
        raise OSError("the sink is gone")

    def flush(self) -> None:
        raise OSError("the sink is gone")

    close = flush


def test_a_sink_that_fails_is_not_the_callers_problem(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING), Tracker(Failing()) as tracker:
        assert tracker.track("page_viewed") == Tracked(False, reasons=("event: OSError while it was tracked",))
        tracker.flush()
    assert caplog.messages


class Hostile(Mapping[str, Any]):
    def __getitem__(self, key: str) -> Any:
        raise KeyError(key)

    def __iter__(self) -> Any:
        raise RuntimeError("no")

    def __len__(self) -> int:
        return 1


ODD = st.one_of(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats()
        | st.text(st.characters())  # lone surrogates too
        | st.binary()
        | st.datetimes(timezones=st.none() | st.just(UTC))
        | st.uuids()
        | st.decimals(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.text() | st.integers() | st.none(), inner, max_size=4)
            | st.tuples(inner)
        ),
        max_leaves=8,
    ),
    st.sampled_from([object(), Hostile(), type, {1}, TrackingContext(source="web")]),
)
FIELDS = st.sampled_from(
    [
        "eventType", "event_type", "occurredAt", "occurred_at", "idempotencyKey", "eventId", "source", "actorId",
        "actorType", "anonymousId", "sessionId", "entityType", "entity_id", "entityId", "props", "attribution",
        "context", "receivedAt",
    ]
)  # fmt: skip


@given(event=ODD | st.dictionaries(FIELDS, ODD), source=ODD, fields=st.dictionaries(st.sampled_from(
    ["actor_id", "actor_type", "anonymous_id", "session_id", "attribution", "user_agent", "os", "do_not_track"]
), ODD))  # fmt: skip
def test_whatever_is_passed_nothing_is_raised_and_what_is_written_is_accepted(
    event: Any, source: Any, fields: dict[str, Any]
) -> None:
    sink = Lines()
    tracker = Tracker(sink, clock=lambda: NOW)
    context = TrackingContext(source=source, **fields)
    results = [
        tracker.track(event),
        tracker.track("page_viewed", event),
        tracker.track("page_viewed", context, props=event, occurred_at=source, entity_id=event),
        tracker.track_event(event, context),
        tracker.track_event(event, event),
        *tracker.track_batch([event], WEB).results,
    ]
    tracker.track_batch(event)

    written = sum(result.tracked for result in results)
    assert all(result.reasons for result in results if not result.tracked)
    assert len(sink.lines) >= written
    validator = LineValidator(landing_date=NOW.date(), start_date=date.min)
    assert all(isinstance(validator.validate(line), ValidEvent) for line in sink.lines)
    assert all(b"\n" not in line for line in sink.lines)


@given(
    event_type=st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True),
    props=st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=9)
        .filter(lambda key: key not in ("revenueCents", "feeCents", "engagementTime", "userAgent")),
        st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(-1e38, 1e38) | st.none(), max_size=5,
    ),
)  # fmt: skip
def test_every_good_event_is_tracked(event_type: str, props: dict[str, Any]) -> None:
    sink = Lines()
    snake = {"revenue_cents", "fee_cents", "engagement_time", "user_agent", "results_count", "ip_address"}
    result = Tracker(sink, clock=lambda: NOW).track(event_type, WEB, props=props)
    assert result.tracked or snake & props.keys(), result
