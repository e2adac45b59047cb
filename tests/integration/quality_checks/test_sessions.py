"""Sessions and marts by channel against what they are made of: a number that has gone astray is found."""

from datetime import date
from typing import Any

import pytest

from quality_checks.sessions import (
    channel_weeks_add_up_to_their_days,
    channels_fit_the_funnel,
    sessions_daily_adds_up_sessions,
    sessions_hold_every_event,
)
from tests.support.pipeline import START, Pipeline
from warehouse.window import ONE_DAY, Window

pytestmark = pytest.mark.models(
    "daily_metrics", "sessions_daily", "funnel_daily", "funnel_daily_by_channel", "weekly_metrics_by_channel"
)

WINDOW = Window(START, START + 2 * ONE_DAY)
NEXT = START + ONE_DAY
DAMAGE = [
    ("delete from build.sessions where metric_date = '2026-10-01' and events = 1", sessions_hold_every_event, START),
    ("update build.sessions set revenue_cents = revenue_cents + 1 where views = 2", sessions_hold_every_event, START),
    (
        "update intermediate.int_events_sessionized set session_id = null where not is_next_day_part"
        " and event_date = '2026-10-02'",
        sessions_hold_every_event,
        NEXT,
    ),
    ("delete from build.sessions_daily where device_type is null", sessions_daily_adds_up_sessions, START),
    (
        "update build.sessions_daily set converting_sessions = 2 where conversions = 1",
        sessions_daily_adds_up_sessions,
        START,
    ),
    ("update build.funnel_daily_by_channel set visitors = 9 where step_number = 1", channels_fit_the_funnel, START),
    ("delete from build.funnel_daily_by_channel", channels_fit_the_funnel, START),
    (
        "update build.weekly_metrics_by_channel set views = views - 1 where channel = 'Direct'",
        channel_weeks_add_up_to_their_days,
        START,
    ),
]


def event(day: date, time: str, who: str, event_type: str = "asset_viewed", **more: Any) -> dict[str, Any]:
    return {
        "eventType": event_type,
        "occurredAt": f"{day}T{time}:00Z",
        "idempotencyKey": f"{day} {time} {who}",
        "anonymousId": who,
        "ipAssetId": "asset-0",
        **more,
    }


def test_what_has_gone_astray_trips_its_check(pipeline: Pipeline) -> None:
    phone = {"context": {"deviceType": "mobile", "browser": "Firefox"}}
    pipeline.land(
        START,
        [
            event(START, "09:00", "phone", **phone, props={"path": "/a?mail=ana@mail.example"}),
            event(START, "09:05", "phone", "license_created", props={"revenueCents": 70, "path": "/b"}, **phone),
            event(START, "10:00", "robot", context={"userAgent": "Googlebot/2.1"}),
            event(START, "12:00", "guest"),
            event(START, "23:50", "night"),
        ],
    )
    pipeline.land(NEXT, [event(NEXT, "00:10", "night"), event(NEXT, "10:00", "guest")])
    pipeline.run(WINDOW)

    shown = pipeline.rows(
        "select metric_date, visitor_id, device_type, entry_page, exit_page, duration_seconds::int, events, views,"
        " conversions, revenue_cents, is_engaged from marts.sessions order by session_started_at"
    )
    assert [row[:3] + row[5:] for row in shown] == [
        (START, "anonymous:phone", "mobile", 300, 2, 1, 1, 70, True),
        (START, "anonymous:guest", None, 0, 1, 1, 0, 0, False),
        (START, "anonymous:night", None, 1_200, 2, 2, 0, 0, True),
        (NEXT, "anonymous:guest", None, 0, 1, 1, 0, 0, False),
    ]
    assert shown[0][4] == "/b"
    assert "ana@" not in shown[0][3]
    by_device = pipeline.rows(
        "select device_type, browser, sessions, converting_sessions from marts.sessions_daily"
        " where metric_date = '2026-10-01' order by device_type"
    )
    assert by_device == [("mobile", "Firefox", 1, 1), (None, None, 2, 0)]

    for damage, check, day in DAMAGE:
        assert check(pipeline.connection, WINDOW).passed, check.name
        with pipeline.connection.transaction(force_rollback=True):
            pipeline.connection.execute(damage)  # type: ignore[call-overload]
            found = check(pipeline.connection, WINDOW)
            assert day in found.days, damage
            assert found.sample, damage
