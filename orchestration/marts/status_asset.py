"""State of the warehouse as Dagster's page of asset ops/status shows it."""

from datetime import datetime
from typing import Any, Final, NamedTuple

import dagster as dg
import psycopg

from alerting.status_page import status_page
from publishing import days_not_current
from publishing.days_not_current import DayState
from warehouse.settings import settings

ASSET: Final = dg.AssetKey(["ops", "status"])


class Status(NamedTuple):
    """State at a moment: the days that are not as they should be, and the whole page as Markdown."""

    days: list[DayState]
    page: str

    @property
    def headline(self) -> str:
        """Return the state of days in a line."""
        return days_not_current.in_words(self.days) or "every day that is due is published and current"


def read(connection: psycopg.Connection, now: datetime) -> Status:
    """Return the state of the warehouse."""
    deadline = settings().warehouse_publish_deadline
    days = days_not_current.states(connection, due_before=days_not_current.due_before(now, deadline))
    return Status(days, status_page(connection, days, now=now, deadline=deadline))


def observation(status: Status) -> dg.AssetObservation:
    """Return the event that shows the state."""
    metadata: dict[str, Any] = {**days_not_current.counts(status.days), "status": dg.MetadataValue.md(status.page)}
    return dg.AssetObservation(ASSET, description=status.headline, metadata=metadata)
