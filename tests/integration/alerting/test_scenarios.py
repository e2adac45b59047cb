"""Nights and weeks, and exactly how many messages each sends: the table of docs/concepts/alerts.md."""

import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from alerting.channels import Email
from alerting.fault import Bounds
from publishing.model_versions import ProjectVersion
from tests.integration.alerting.on_call import HOUR, MINUTE, OnCall, at
from tests.support.receivers import mail_server

Usage = namedtuple("Usage", "total used free")


def test_a_refused_day_that_lasts_three_nights_is_one_message_and_one_when_it_is_over(on_call: OnCall) -> None:
    on_call.check("load_counts_add_up", 3, passed=False, now=at(4, 2, 20))
    on_call.publish(4, now=at(5, 2, 30))
    # The sensor runs the day again every hour, and it is refused each time.
    for hour in range(72):
        on_call.check("load_counts_add_up", 3, passed=False, now=at(4, 3, 20) + hour * HOUR)
        on_call.publish(*([5] if hour > 48 else []), now=at(6, 2, 30))
        on_call.tick(at(4, 3, 21) + hour * HOUR)
    assert on_call.titles == ["FAULT: day refused: 2026-10-03"]
    on_call.check("load_counts_add_up", 3, passed=True, now=at(7, 4, 1))
    on_call.tick(at(7, 4, 2))
    assert len(on_call.titles) == 1, "the check has passed, and the day is not published yet"
    on_call.publish(3, 6, now=at(7, 4, 5))
    on_call.ticks(at(7, 4, 6), at(7, 8))
    assert on_call.titles == ["FAULT: day refused: 2026-10-03", "OVER: day refused: 2026-10-03"]


def test_a_week_with_the_daemon_off_is_one_message(on_call: OnCall) -> None:
    on_call.ticks(at(10, 9), at(10, 10))
    assert on_call.titles == ["FAULT: day not published in time: 2026-10-03 to 2026-10-09"]
    for day in range(3, 10):
        on_call.publish(day, now=at(10, 10 + day))
        on_call.tick(at(10, 10 + day, 30))
    assert on_call.titles[1:] == ["OVER: day not published in time: 2026-10-03 to 2026-10-09"]


def test_a_late_day_that_is_published_after_its_deadline_is_two_messages(on_call: OnCall) -> None:
    on_call.ticks(at(4, 2), at(4, 6))
    assert on_call.titles == []
    on_call.ticks(at(4, 6), at(4, 9))
    on_call.publish(3, now=at(4, 9))
    on_call.ticks(at(4, 9), at(5, 6))
    assert on_call.titles == [
        "FAULT: day not published in time: 2026-10-03",
        "OVER: day not published in time: 2026-10-03",
    ]


def test_every_night_of_a_week_failing_is_one_message_and_one_when_it_is_over(on_call: OnCall) -> None:
    for day in range(3, 10):
        on_call.fail(day, now=at(day + 1, 2, 20), reason="step raw_application_tables failed: the database is away")
        on_call.ticks(at(day + 1, 2, 30), at(day + 2, 2), HOUR)
    assert on_call.titles == ["FAULT: run failed: daily_refresh, 2026-10-03"]
    on_call.publish(*range(3, 11), now=at(11, 3))
    on_call.ticks(at(11, 3), at(11, 9))
    assert on_call.titles[1:] == ["OVER: run failed: daily_refresh, 2026-10-03 to 2026-10-09"]


def test_a_failed_run_that_the_next_run_repairs_is_two_messages(on_call: OnCall) -> None:
    on_call.fail(3, now=at(4, 2, 20))
    on_call.tick(at(4, 2, 21))
    # Tried again within the hour, in vain and then with success.
    on_call.fail(3, now=at(4, 3, 20))
    on_call.tick(at(4, 3, 21))
    on_call.publish(3, now=at(4, 4, 20))
    on_call.ticks(at(4, 4, 21), at(5, 3))
    assert on_call.titles == [
        "FAULT: run failed: daily_refresh, 2026-10-03",
        "OVER: run failed: daily_refresh, 2026-10-03",
    ]


def test_a_channel_that_is_down_for_an_hour_stops_nothing_and_gets_each_message_once(on_call: OnCall) -> None:
    on_call.receiver.status = 503
    on_call.fail(3, now=at(4, 2, 20))
    on_call.ticks(at(4, 2, 21), at(4, 3, 21), MINUTE)
    assert on_call.titles == []
    ((attempts, error),) = on_call.execute("select attempts, last_error from ops.alert_messages")
    assert 6 < attempts < 15, "it is tried again and again, and less often after a while"
    assert "503" in error
    on_call.receiver.status = 200
    on_call.ticks(at(4, 3, 21), at(4, 5), MINUTE)
    assert on_call.titles == ["FAULT: run failed: daily_refresh, 2026-10-03"]


def test_a_fault_that_ends_while_its_channel_is_down_is_one_message(on_call: OnCall) -> None:
    on_call.receiver.status = 503
    on_call.fail(3, now=at(4, 2, 20))
    on_call.ticks(at(4, 2, 21), at(4, 3), MINUTE)
    on_call.publish(3, now=at(4, 3))
    on_call.ticks(at(4, 3), at(4, 3, 5), MINUTE)
    on_call.receiver.status = 200
    on_call.ticks(at(4, 3, 5), at(4, 5), MINUTE)
    assert on_call.titles == ["OVER: run failed: daily_refresh, 2026-10-03"]


def test_two_channels_get_each_message_once_also_when_one_is_down(on_call: OnCall) -> None:
    with mail_server() as mail:
        on_call.channels.append(Email(mail.url, "warehouse@example.com", ["night@example.com"]))
        mail.is_down = True
        on_call.fail(3, now=at(4, 2, 20))
        on_call.ticks(at(4, 2, 21), at(4, 3), MINUTE)
        assert (len(on_call.titles), len(mail.mails)) == (1, 0)
        mail.is_down = False
        on_call.ticks(at(4, 3), at(4, 4), MINUTE)
        on_call.publish(3, now=at(4, 4))
        on_call.ticks(at(4, 4), at(4, 5), MINUTE)
        assert on_call.titles == [
            "FAULT: run failed: daily_refresh, 2026-10-03",
            "OVER: run failed: daily_refresh, 2026-10-03",
        ]
        assert [mail["Subject"] for mail in mail.mails] == on_call.titles


def test_a_plan_that_waits_for_a_week_is_two_messages(on_call: OnCall) -> None:
    on_call.project = ProjectVersion({"daily_metrics": "two"}, frozenset(), frozenset())
    for day in range(3, 10):
        on_call.publish(day, now=at(day + 1, 3))
        on_call.ticks(at(day + 1, 3), at(day + 2, 2), HOUR)
    assert on_call.titles == ["FAULT: a plan waits"]
    on_call.apply_models()
    on_call.ticks(at(11, 2), at(11, 6))
    assert on_call.titles[1:] == ["OVER: a plan waits"]


def test_a_disk_that_fills_up_and_is_freed_is_two_messages(
    on_call: OnCall, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gigabyte = 1024**3
    on_call.folders, on_call.bounds = [tmp_path, tmp_path / "."], Bounds(free_gigabytes=5)
    # Around the bound it is neither over nor open again.
    for minute, free in enumerate([9, 4.9, 5.1, 4.9, 5.2, 0.1]):
        monkeypatch.setattr(shutil, "disk_usage", lambda _, free=free: Usage(100 * gigabyte, 0, free * gigabyte))
        on_call.tick(at(3, 4, minute))
    assert on_call.titles == ["FAULT: disk almost full"]
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(100 * gigabyte, 0, 20 * gigabyte))
    on_call.ticks(at(3, 5), at(3, 6))
    assert on_call.titles[1:] == ["OVER: disk almost full"]


@pytest.mark.parametrize(("bad", "title"), [("rejected", "too many rejected lines"), ("late", "too many late events")])
def test_landing_days_in_a_row_beyond_a_bound_are_two_messages(on_call: OnCall, bad: str, title: str) -> None:
    on_call.land(1, lines=1000)
    on_call.land(2, lines=1000, **{bad: 300})
    on_call.ticks(at(3, 4), at(4, 2))
    on_call.publish(3, 4, 5, now=at(4, 2))
    on_call.land(3, lines=1000, **{bad: 400})
    on_call.ticks(at(4, 4), at(5, 2))
    on_call.land(4, lines=1000, **{bad: 10})
    on_call.ticks(at(5, 4), at(6, 2))
    assert on_call.titles == [f"FAULT: {title}: 2026-10-02", f"OVER: {title}: 2026-10-02 to 2026-10-03"]


def test_a_warehouse_that_has_published_nothing_yet_is_late_with_what_has_landed(on_call: OnCall) -> None:
    on_call.execute("delete from ops.published_days")
    on_call.ticks(at(9, 7), at(9, 9))
    assert on_call.titles == [], "nothing has landed: nobody waits for a day"
    on_call.execute("insert into ops.waiting_files values ('events/dt=2026-10-08/a.ndjson', '2026-10-08', 'damaged')")
    on_call.ticks(at(9, 9), at(9, 11))
    assert on_call.titles == ["FAULT: day not published in time: 2026-10-08"]


def test_few_lines_say_nothing_about_shares(on_call: OnCall) -> None:
    on_call.land(2, lines=50, rejected=25, late=25)
    on_call.tick(at(3, 4))
    assert on_call.titles == []


def test_a_long_backfill_of_old_days_is_no_message(on_call: OnCall) -> None:
    on_call.days_at_work = {at(day).date() for day in range(3, 9)}
    on_call.ticks(at(9, 7), at(9, 9))
    assert on_call.titles == []
    on_call.days_at_work = set()
    on_call.tick(at(9, 9))
    assert on_call.titles == ["FAULT: day not published in time: 2026-10-03 to 2026-10-08"]
