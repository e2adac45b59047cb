"""Messages: complete, without secrets and persons, sent once over restarts, and on a server that cannot write."""

import base64
from datetime import timedelta

import psycopg
import pytest

from alerting import alerts, delivery, failed_runs
from alerting.channels import ChannelError, Email, Webhook
from alerting.messages import Message, markdown, message
from alerting.tick import Ticker
from tests.integration.alerting.on_call import MINUTE, OnCall, at, october
from tests.support.receivers import mail_server, webhook
from warehouse import retention

MESSAGE = Message("alert-1-open", "FAULT: a <title> & more", ("What: something",))


def test_a_message_says_what_since_when_which_day_what_to_do_and_links_the_run(on_call: OnCall) -> None:
    on_call.check("load_counts_add_up", 3, passed=False, now=at(4, 2, 20))
    on_call.tick(at(4, 2, 21))
    [text] = on_call.receiver.texts
    assert text.splitlines() == [
        "*FAULT: day refused: 2026-10-03*",
        "What: A check refuses to publish a day. Dashboards keep the numbers that they had.",
        "Which: 2026-10-03: load_counts_add_up",
        "Rule: load_counts_add_up: Every line of every load is accounted for, and the rows are there.",
        "Days: 2026-10-03",
        "Since: 2026-10-04 02:20 UTC",
        "Urgent: it can wait for the morning: later days are published as usual.",
        "To do: Look at the rows that the check shows in the run. Correct or remove the landing file; the day is then"
        " run again by itself. If really nothing happened: warehouse declare-silent-day 2026-10-03"
        ' --reason "..." --name "...". If the day is right all the same: warehouse publish-refused-day 2026-10-03'
        " --check CHECK --reason ... --name ...",
        "Run: http://dagster.example/runs/run-of-the-check 040220",
    ]
    on_call.check("load_counts_add_up", 3, passed=True, now=at(4, 9))
    on_call.publish(3, now=at(4, 9, 1))
    on_call.tick(at(4, 9, 2))
    assert on_call.receiver.texts[1].splitlines()[1:3] == [
        "It is over. It lasted from 2026-10-04 02:20 UTC to 2026-10-04 09:02 UTC: 6 h 42 min.",
        "It was: 2026-10-03: load_counts_add_up",
    ]


def test_the_page_shows_what_is_open_and_nothing_else(on_call: OnCall) -> None:
    on_call.fail(3, now=at(4, 2, 20))
    on_call.tick(at(4, 2, 21))
    shown = markdown(delivery.alerts(on_call.connection), ui_url="http://dagster.example/")
    assert "run failed: daily_refresh, 2026-10-03" in shown
    assert "](http://dagster.example/runs/run 040220)" in shown
    on_call.publish(3, now=at(4, 3))
    on_call.tick(at(4, 3, 1))
    assert markdown(delivery.alerts(on_call.connection), ui_url="") == "No fault is open."


def test_another_process_after_a_restart_sends_nothing_again(on_call: OnCall) -> None:
    on_call.fail(3, now=at(4, 2, 20))
    on_call.tick(at(4, 2, 21))
    on_call.ticker = Ticker()
    on_call.ticks(at(4, 2, 22), at(4, 4))
    assert len(on_call.titles) == 1


def test_a_process_that_dies_before_it_sends_leaves_the_message_to_the_next(on_call: OnCall) -> None:
    on_call.fail(3, now=at(4, 2, 20))
    channels, on_call.channels = on_call.channels, []
    on_call.tick(at(4, 2, 21))
    alerts.update(
        on_call.connection, [fault for alert in delivery.alerts(on_call.connection) for fault in alert.faults],
        channels=["webhook"], now=at(4, 2, 22),
    )  # fmt: skip
    assert on_call.titles == []
    on_call.channels = channels
    on_call.tick(at(4, 2, 23))
    on_call.tick(at(4, 2, 24))
    assert on_call.titles == ["FAULT: run failed: daily_refresh, 2026-10-03"]


def test_two_processes_at_once_send_once(on_call: OnCall) -> None:
    on_call.fail(3, now=at(4, 2, 20))
    with psycopg.connect(on_call.connection.info.dsn, password=on_call.connection.info.password) as other:
        other.execute("select pg_advisory_lock(7215)")
        on_call.tick(at(4, 2, 21))
        assert on_call.titles == []
        # Closing a connection does not wait until the server has ended its session.
        other.execute("select pg_advisory_unlock(7215)")
    on_call.tick(at(4, 2, 22))
    assert on_call.titles == ["FAULT: run failed: daily_refresh, 2026-10-03"]


def test_without_a_channel_faults_are_recorded_and_a_channel_that_is_added_gets_what_is_open(on_call: OnCall) -> None:
    channels, on_call.channels = on_call.channels, []
    on_call.fail(3, now=at(4, 2, 20))
    on_call.tick(at(4, 2, 21))
    assert len(delivery.alerts(on_call.connection)) == 1
    on_call.channels = channels
    on_call.ticks(at(4, 2, 22), at(4, 3))
    assert on_call.titles == ["FAULT: run failed: daily_refresh, 2026-10-03"]


def test_a_server_whose_disk_is_full_is_one_message_and_one_when_it_writes_again(on_call: OnCall) -> None:
    # Every table refuses rows as Postgres does on a full disk.
    on_call.execute("""
        create function ops.fail() returns trigger language plpgsql
        as 'begin raise exception ''could not extend file'' using errcode = ''53100''; end'
    """)
    for table in ("ops.alerts", "ops.alert_faults", "ops.alert_messages"):
        on_call.execute(
            f"create trigger fail before insert or update on {table} for each statement execute function ops.fail()"
        )
    on_call.fail(3, now=at(4, 2, 20))
    on_call.ticks(at(4, 2, 21), at(4, 3), MINUTE)
    assert on_call.titles == ["FAULT: disk almost full"]
    assert "the Postgres server cannot write: its disk is full" in on_call.receiver.texts[0]
    on_call.execute("drop function ops.fail() cascade")
    on_call.ticks(at(4, 3), at(4, 4), MINUTE)
    assert sorted(on_call.titles[1:]) == ["FAULT: run failed: daily_refresh, 2026-10-03", "OVER: disk almost full"]


def test_a_refused_run_is_no_failed_run(on_call: OnCall) -> None:
    on_call.check("load_counts_add_up", 3, passed=False, now=at(4, 2, 20), run_id="run")
    on_call.fail(3, now=at(4, 2, 20))
    on_call.tick(at(4, 2, 21))
    assert on_call.titles == ["FAULT: day refused: 2026-10-03"]


def test_failed_runs_of_two_jobs_are_two_messages_each_with_its_run(on_call: OnCall) -> None:
    on_call.fail(3, now=at(4, 2, 20))
    failed_runs.record(
        on_call.connection, job="export_events", window=None, run_id="an-export", failed_at=at(4, 2, 21), reason="no"
    )
    on_call.tick(at(4, 2, 22))
    assert on_call.titles == ["FAULT: run failed: export_events", "FAULT: run failed: daily_refresh, 2026-10-03"]
    assert "runs/an-export" in on_call.receiver.texts[0]
    # The next export does the work; the day is still to be done.
    failed_runs.forget(on_call.connection, job="export_events", window=None, ended_at=at(4, 3))
    on_call.tick(at(4, 3, 1))
    assert on_call.titles[2:] == ["OVER: run failed: export_events"]


def test_a_load_ahead_that_failed_is_made_good_by_the_night_that_loads_its_files(on_call: OnCall) -> None:
    failed_runs.record(
        on_call.connection, job="load_landing", window=None, run_id="r", failed_at=at(4, 14), reason="a.gz is truncated"
    )
    on_call.publish(3, now=at(4, 3))
    on_call.ticks(at(4, 14), at(5, 2))
    assert on_call.titles == ["FAULT: run failed: load_landing"]
    on_call.publish(4, now=at(5, 2, 30))
    on_call.ticks(at(5, 2, 30), at(5, 4))
    assert on_call.titles[1:] == ["OVER: run failed: load_landing"]


def test_a_sealed_day_is_no_fault_whatever_was_wrong_with_it(on_call: OnCall) -> None:
    on_call.check("load_counts_add_up", 3, passed=False, now=at(4, 2, 20))
    on_call.fail(4, now=at(5, 2, 20))
    on_call.tick(at(6, 2))
    retention.seal(on_call.connection, october(7))
    on_call.tick(at(7, 9))
    assert [title.partition(":")[0] for title in on_call.titles] == ["FAULT", "FAULT", "OVER", "OVER"]


def test_another_check_or_another_week_is_another_alert(on_call: OnCall) -> None:
    on_call.publish(4, 5, 6, now=at(7, 2))
    on_call.check("load_counts_add_up", 3, passed=False, now=at(4, 2, 20))
    on_call.tick(at(4, 2, 21))
    on_call.check("credits_add_up", 4, passed=False, now=at(5, 2, 20))
    on_call.tick(at(5, 2, 21))
    on_call.check("load_counts_add_up", 6, passed=False, now=at(7, 2, 20))
    on_call.tick(at(7, 2, 21))
    assert on_call.titles == [f"FAULT: day refused: 2026-10-0{day}" for day in (3, 4, 6)]


def test_an_error_of_a_channel_holds_no_address_and_no_password(on_call: OnCall) -> None:
    with mail_server() as mail:
        mail.is_down = True
        email = Email(mail.url, "warehouse@example.com", ["night@example.com"])
        on_call.receiver.status = 404
        nowhere = Webhook("http://127.0.0.1:9/services/secret-part-of-the-address", name="other")
        on_call.channels += [email, nowhere]
        on_call.fail(3, now=at(4, 2, 20))
        on_call.tick(at(4, 2, 21))
    errors = dict(on_call.execute("select channel, last_error from ops.alert_messages"))
    assert errors.keys() == {"webhook", "email", "other"}
    assert "status 404" in errors["webhook"]
    kept = " ".join([*errors.values(), *on_call.logged, repr(on_call.channels)])
    for secret in ("secret-part", "p%40ss", "p@ss"):
        assert secret not in kept


def test_a_webhook_gets_slacks_format_and_follows_no_redirect() -> None:
    with webhook() as receiver:
        Webhook(receiver.url).send(MESSAGE)
        assert receiver.texts == ["*FAULT: a &lt;title&gt; &amp; more*\nWhat: something"]
        receiver.status = 302
        with pytest.raises(ChannelError, match="status 302"):
            Webhook(receiver.url).send(MESSAGE)


def test_a_mail_has_its_subject_and_the_same_id_when_it_is_sent_again() -> None:
    with mail_server() as server:
        email = Email(server.url, "warehouse@example.com", ["night@example.com", "day@example.com"])
        email.send(MESSAGE)
        email.send(MESSAGE)
        first, second = server.mails
    assert (first["Subject"], first["To"]) == (MESSAGE.title, "night@example.com, day@example.com")
    assert first["Message-ID"] == second["Message-ID"] == "<alert-1-open@example.com>"
    assert first.get_payload().strip() == "What: something"
    assert base64.b64decode(server.logins[0]).split(b"\0")[1:] == [b"alerts", b"p@ss-word-of-mail"]


def test_an_alert_that_is_long_ago_is_said_in_days(on_call: OnCall) -> None:
    on_call.fail(3, now=at(4, 2, 20))
    on_call.tick(at(4, 2, 21))
    on_call.publish(3, now=at(4, 2, 20) + timedelta(days=3, hours=5))
    on_call.tick(at(7, 7, 30))
    [alert] = delivery.alerts(on_call.connection, "kind = %s", "run_failed")
    assert "3 d 5 h" in message(alert, is_over=True, ui_url="").lines[0]
