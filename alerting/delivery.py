"""Delivery of messages: sent once, retried while a channel is down, and kept in ops.alert_messages until then."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

import psycopg

from alerting.channels import Channel, ChannelError
from alerting.fault import Fault, Kind
from alerting.messages import Alert, message

# A channel that is down is tried again after 1, 2, 4, 8, then every 10 minutes.
_FIRST_PAUSE: Final = timedelta(minutes=1)
_LONGEST_PAUSE: Final = timedelta(minutes=10)


def deliver(
    connection: psycopg.Connection,
    channels: Sequence[Channel],
    *,
    ui_url: str,
    now: datetime,
    log: Callable[[str], None] = lambda _: None,
) -> int:
    """Send the messages that are due, oldest first. Return how many were sent. A channel that is down raises nothing.

    Each is recorded as sent as soon as its channel has accepted it. The connection commits statement by statement.
    """
    sent = 0
    for channel in channels:
        due = connection.execute(
            "select alert_id, state from ops.alert_messages"
            " where channel = %s and sent_at is null and next_try_at <= %s order by alert_id, state",
            [channel.name, now],
        ).fetchall()
        for alert_id, state in due:
            [alert] = alerts(connection, "alert_id = %s", alert_id)
            try:
                channel.send(message(alert, is_over=state == "over", ui_url=ui_url))
            except ChannelError as error:
                _postpone(connection, channel.name, str(error), now)
                log(f"messages wait for channel {channel.name}: {error}")
                break
            connection.execute(
                "update ops.alert_messages set sent_at = %s, attempts = attempts + 1, last_error = null"
                " where alert_id = %s and channel = %s and state = %s",
                [now, alert_id, channel.name, state],
            )
            sent += 1
    return sent


def _postpone(connection: psycopg.Connection, channel: str, error: str, now: datetime) -> None:
    """Postpone every message of a channel that is down: the others would fail as well, each after seconds."""
    connection.execute(
        """
        update ops.alert_messages
        set attempts = attempts + 1, last_error = %(error)s,
            next_try_at = %(now)s + least(%(first)s * 2 ^ least(attempts, 10), %(longest)s)
        where channel = %(channel)s and sent_at is null and next_try_at <= %(now)s
        """,
        {"channel": channel, "error": error, "now": now, "first": _FIRST_PAUSE, "longest": _LONGEST_PAUSE},
    )


def alerts(connection: psycopg.Connection, condition: str = "closed_at is null", *parameters: object) -> list[Alert]:
    """Return alerts with their faults, oldest first: by default those that are open."""
    rows = connection.execute(
        f"select alert_id, kind, opened_at, closed_at from ops.alerts where {condition} order by alert_id",
        parameters,
    ).fetchall()
    return [
        Alert(alert_id, Kind(kind), opened_at, closed_at, _faults(connection, alert_id, is_open=closed_at is None))
        for alert_id, kind, opened_at, closed_at in rows
    ]


def _faults(connection: psycopg.Connection, alert_id: int, *, is_open: bool) -> list[Fault]:
    """Return the faults of an alert; of one that is open those that are open."""
    rows = connection.execute(
        "select kind, subject, cause, since, detail, event_date, run_id from ops.alert_faults"
        " where alert_id = %s and (closed_at is null or not %s) order by event_date, subject",
        [alert_id, is_open],
    ).fetchall()
    return [Fault(Kind(kind), *values) for kind, *values in rows]


def undelivered(connection: psycopg.Connection) -> list[tuple[str, int, str]]:
    """Return channels with messages that a failed attempt has left: name, number of messages, last error."""
    rows = connection.execute(
        "select channel, count(*), max(last_error) from ops.alert_messages"
        " where sent_at is null and last_error is not null group by channel order by channel"
    ).fetchall()
    return [(channel, count, error) for channel, count, error in rows]
