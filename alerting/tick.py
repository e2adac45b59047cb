"""A tick of alerts: find the open faults, record them, send what is due. Also where the server's disk is full."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

import psycopg

from alerting import alerts, delivery
from alerting.channels import Channel, ChannelError
from alerting.fault import Fault, Kind
from alerting.messages import Alert, message
from warehouse.locks import AdvisoryLock
from warehouse.single_values import value_of

# Errors of a server that reads and cannot write.
_CANNOT_WRITE: Final = (psycopg.errors.DiskFull, psycopg.errors.IoError)
_SERVER_DISK: Final = "the server's disk"


class Ticker:
    """Ticks of one process.

    A server whose disk is full cannot record that a message was sent. The process remembers it until the server can
    write again, so that such a disk too is one message.
    """

    def __init__(self) -> None:
        self._full_since: datetime | None = None
        self._sent_to: set[str] = set()

    def tick(
        self,
        connection: psycopg.Connection,
        find: Callable[[], Sequence[Fault]],
        channels: Sequence[Channel],
        *,
        ui_url: str,
        now: datetime,
        log: Callable[[str], None] = lambda _: None,
    ) -> list[Alert] | None:
        """Return the open alerts; None where another process has its tick. The connection is in autocommit mode."""
        if not value_of(connection, "select pg_try_advisory_lock(%s)", [AdvisoryLock.ALERTS]):
            return None
        try:
            faults = find()
            try:
                self._record_full_disk(connection)
                alerts.update(connection, faults, channels=[channel.name for channel in channels], now=now)
                delivery.deliver(connection, channels, ui_url=ui_url, now=now, log=log)
            except _CANNOT_WRITE:
                self._send_without_record(connection, channels, ui_url=ui_url, now=now, log=log)
            return delivery.alerts(connection)
        finally:
            if not connection.closed:
                connection.execute("select pg_advisory_unlock(%s)", [AdvisoryLock.ALERTS])

    def _send_without_record(
        self,
        connection: psycopg.Connection,
        channels: Sequence[Channel],
        *,
        ui_url: str,
        now: datetime,
        log: Callable[[str], None],
    ) -> None:
        """Say that the disk is full where no message has said so."""
        rows = connection.execute(
            "select channel from ops.alert_messages inner join ops.alerts using (alert_id)"
            " where kind = %s and closed_at is null and sent_at is not null",
            [Kind.DISK_FULL],
        ).fetchall()
        known = self._sent_to | {channel for (channel,) in rows}
        self._full_since = self._full_since or now
        alert = Alert(0, Kind.DISK_FULL, self._full_since, None, [_full_disk(self._full_since)])
        for channel in channels:
            if channel.name in known:
                continue
            try:
                channel.send(message(alert, is_over=False, ui_url=ui_url))
                self._sent_to.add(channel.name)
            except ChannelError as error:
                log(f"channel {channel.name} does not answer, and the disk is full: {error}")

    def _record_full_disk(self, connection: psycopg.Connection) -> None:
        """Record an alert that was sent while the server could not write. The next update finds that it is over."""
        if not self._sent_to or self._full_since is None:
            return
        fault = _full_disk(self._full_since)
        with connection.transaction():
            connection.execute(
                """
                with alert as (
                    insert into ops.alerts (kind, opened_at) values (%(kind)s, %(since)s) returning alert_id
                ),
                fault as (
                    insert into ops.alert_faults (alert_id, kind, subject, cause, since, detail)
                    select alert_id, %(kind)s, %(subject)s, '', %(since)s, %(detail)s from alert
                )
                insert into ops.alert_messages (alert_id, channel, state, sent_at, attempts, next_try_at)
                select alert_id, channel, 'open', %(since)s, 1, %(since)s
                from alert, unnest(%(channels)s::text[]) as channel
                """,
                {
                    "kind": fault.kind,
                    "subject": fault.subject,
                    "since": fault.since,
                    "detail": fault.detail,
                    "channels": sorted(self._sent_to),
                },
            )
        self._full_since, self._sent_to = None, set()


def _full_disk(since: datetime) -> Fault:
    return Fault(Kind.DISK_FULL, _SERVER_DISK, "", since, "the Postgres server cannot write: its disk is full")
