"""A warehouse of which only the state tables are written, and the messages that a person on call gets."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

from alerting import failed_runs
from alerting.channels import Channel, Webhook
from alerting.fault import Bounds
from alerting.open_faults import open_faults
from alerting.tick import Ticker
from publishing import applied_models
from publishing.model_versions import ProjectVersion
from tests.support.receivers import WebhookReceiver
from warehouse.window import Window

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
FIRST = date(2026, 10, 1)
PROJECT = ProjectVersion({"daily_metrics": "one"}, frozenset(), frozenset())


def at(day: int, hour: int = 0, minute: int = 0) -> datetime:
    """A moment of October 2026."""
    return datetime(2026, 10, day, hour, minute, tzinfo=UTC)


def october(day: int) -> date:
    return date(2026, 10, day)


class OnCall:
    """Ticks of alerts at chosen moments, sent to a webhook and to more channels."""

    def __init__(self, connection: psycopg.Connection, receiver: WebhookReceiver) -> None:
        self.connection = connection
        self.receiver = receiver
        self.channels: list[Channel] = [Webhook(receiver.url)]
        self.project = PROJECT
        self.folders: list[Path] = []
        self.bounds = Bounds(free_gigabytes=0)
        self.days_at_work: set[date] = set()
        self.ticker = Ticker()
        self.logged: list[str] = []

    def tick(self, now: datetime) -> None:
        """Let the sensor tick once."""
        self.ticker.tick(
            self.connection,
            lambda: open_faults(
                self.connection,
                now=now,
                bounds=self.bounds,
                project=self.project,
                folders=self.folders,
                days_at_work=self.days_at_work,
            ),
            self.channels,
            ui_url="http://dagster.example",
            now=now,
            log=self.logged.append,
        )

    def ticks(self, start: datetime, end: datetime, every: timedelta = 10 * MINUTE) -> None:
        """Let the sensor tick from `start` until before `end`."""
        while start < end:
            self.tick(start)
            start += every

    @property
    def titles(self) -> list[str]:
        """The first lines of the messages that the webhook got."""
        return [text.splitlines()[0].strip("*") for text in self.receiver.texts]

    def publish(self, *days: int, now: datetime) -> None:
        """Record days as published."""
        for day in days:
            self.execute(
                "insert into ops.published_days (event_date, build_id, run_id, change_id, model_version, published_at)"
                " values (%s, 'b', 'r', 1, 'v', %s) on conflict (event_date) do update"
                " set published_at = excluded.published_at",
                october(day),
                now,
            )

    def check(self, name: str, day: int, *, passed: bool, now: datetime, run_id: str = "run-of-the-check") -> None:
        """Record the outcome of a blocking check of a day."""
        self.execute(
            "insert into ops.check_results (build_id, check_name, window_start, window_end, severity, is_passed,"
            " observed, bad_days, checked_at) values (%s, %s, %s, %s, 'error', %s, '{}', %s, %s)",
            f"{run_id} {now:%d%H%M}",
            name,
            october(day),
            october(day + 1),
            passed,
            [] if passed else [october(day)],
            now,
        )

    def fail(self, day: int, *, now: datetime, reason: str = "step raw_events failed") -> None:
        """Record a run of daily_refresh that failed."""
        failed_runs.record(
            self.connection,
            job="daily_refresh",
            window=Window.day(october(day)),
            run_id=f"run {now:%d%H%M}",
            failed_at=now,
            reason=reason,
        )

    def land(self, day: int, *, lines: int, rejected: int = 0, late: int = 0) -> None:
        """Record the load of a landing day."""
        self.execute(
            "insert into ops.loads (change_id, landing_date, file, checksum, file_bytes, lines_read, accepted,"
            " rejected, duplicates, not_tracked, late, event_dates, loaded_at)"
            " values (1, %s, %s, 'x', 1, %s, %s, %s, 0, 0, %s, '{}', %s)",
            october(day),
            f"events/dt={october(day)}/part-0.ndjson",
            lines,
            lines - rejected,
            rejected,
            late,
            at(day + 1, 2),
        )

    def apply_models(self) -> None:
        """Record the loaded models as applied."""
        applied_models.apply_at_once(self.connection, self.project)

    def execute(self, statement: str, *parameters: Any) -> Sequence[tuple[Any, ...]]:
        cursor = self.connection.execute(statement, parameters)  # type: ignore[arg-type]
        return cursor.fetchall() if cursor.description else []
