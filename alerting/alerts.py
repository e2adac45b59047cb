"""Alerts: faults that are found are opened, followed and closed, and each alert gets its messages by channel.

An alert holds the faults of a kind that were found at the same moment, failed runs by job. A fault joins an open alert
that has one of the day before or after, with the same cause: a stretch of days is one fault that lasts. An alert is
over when all its faults are gone.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime

import psycopg

from alerting.fault import Fault, Kind
from warehouse.single_values import value_of


def update(connection: psycopg.Connection, faults: Sequence[Fault], *, channels: Iterable[str], now: datetime) -> None:
    """Record these faults, all that are open now, and what the channels are to send. One transaction."""
    with connection.transaction():
        known = {
            (kind, subject): (alert_id, cause, day)
            for kind, subject, alert_id, cause, day in connection.execute(
                "select kind, subject, alert_id, cause, event_date from ops.alert_faults where closed_at is null"
            ).fetchall()
        }
        open_now = {fault.key for fault in faults}
        new: dict[tuple[str, str], list[Fault]] = {}
        for fault in sorted(faults, key=lambda fault: (fault.kind, fault.day or date.min, fault.subject)):
            if fault.key in known:
                _follow(connection, fault)
                continue
            alert_id = next(
                (alert for key, (alert, *at) in known.items() if key in open_now and _lasts(fault, key, *at)), None
            )
            if alert_id is not None:
                _add(connection, alert_id, fault)
                known[fault.key] = (alert_id, fault.cause, fault.day)
            else:
                # Runs of different jobs have different causes; days are one piece of news, whatever refused them.
                job = fault.cause if fault.kind is Kind.RUN_FAILED else ""
                new.setdefault((fault.kind, job), []).append(fault)
        for (kind, _), found in new.items():
            opened = "insert into ops.alerts (kind, opened_at) values (%s, %s) returning alert_id"
            alert_id = value_of(connection, opened, [kind, now])
            for fault in found:
                _add(connection, alert_id, fault)
        _close(connection, open_now, now)
        _plan_messages(connection, sorted(channels), now)


def _lasts(fault: Fault, key: tuple[str, str], cause: str, day: date | None) -> bool:
    """Return whether a fault goes on from an open one of another day."""
    if fault.kind != key[0] or fault.day is None or day is None or abs((fault.day - day).days) > 1:
        return False
    return bool(set(fault.cause.split(", ")) & set(cause.split(", ")))


def _add(connection: psycopg.Connection, alert_id: int, fault: Fault) -> None:
    connection.execute(
        """
        insert into ops.alert_faults (alert_id, kind, subject, cause, event_date, since, detail, run_id)
        values (%s, %s, %s, %s, %s, %s, %s, %s)
        on conflict (alert_id, subject) do update
        set closed_at = null, cause = excluded.cause, detail = excluded.detail, run_id = excluded.run_id
        """,
        [alert_id, fault.kind, fault.subject, fault.cause, fault.day, fault.since, fault.detail, fault.run_id],
    )


def _follow(connection: psycopg.Connection, fault: Fault) -> None:
    """Keep the latest run, cause and counts of an open fault, and when it began."""
    connection.execute(
        "update ops.alert_faults set cause = %s, detail = %s, run_id = coalesce(%s, run_id)"
        " where kind = %s and subject = %s and closed_at is null"
        " and (cause, detail, run_id) is distinct from (%s, %s, coalesce(%s, run_id))",
        [
            *(fault.cause, fault.detail, fault.run_id),
            *(fault.kind, fault.subject),
            *(fault.cause, fault.detail, fault.run_id),
        ],
    )


def _close(connection: psycopg.Connection, keys: set[tuple[str, str]], now: datetime) -> None:
    kinds, subjects = [kind for kind, _ in keys], [subject for _, subject in keys]
    connection.execute(
        """
        update ops.alert_faults set closed_at = %s
        where closed_at is null and (kind, subject) not in (select * from unnest(%s::text[], %s::text[]))
        """,
        [now, kinds, subjects],
    )
    connection.execute(
        """
        update ops.alerts as alerts set closed_at = %s
        where closed_at is null and not exists (
            select from ops.alert_faults as faults
            where faults.alert_id = alerts.alert_id and faults.closed_at is null
        )
        """,
        [now],
    )


def _plan_messages(connection: psycopg.Connection, channels: list[str], now: datetime) -> None:
    """Plan a message for each open alert and channel, and one for each alert that is over.

    Where the first message was not sent before the alert was over, the second one says everything, and only it is sent.
    """
    connection.execute(
        """
        insert into ops.alert_messages (alert_id, channel, state, next_try_at)
        select alert_id, channel, 'open', %(now)s
        from ops.alerts, unnest(%(channels)s::text[]) as channel
        where closed_at is null
        on conflict do nothing
        """,
        {"channels": channels, "now": now},
    )
    connection.execute(
        """
        insert into ops.alert_messages (alert_id, channel, state, next_try_at)
        select alerts.alert_id, first.channel, 'over', greatest(%(now)s, case when sent_at is null then next_try_at end)
        from ops.alerts as alerts
        inner join ops.alert_messages as first on first.alert_id = alerts.alert_id and first.state = 'open'
        where alerts.closed_at is not null and first.channel = any(%(channels)s)
        on conflict do nothing
        """,
        {"channels": channels, "now": now},
    )
    connection.execute(
        """
        delete from ops.alert_messages as first using ops.alerts as alerts
        where alerts.alert_id = first.alert_id and alerts.closed_at is not null
            and first.state = 'open' and first.sent_at is null
        """
    )
