"""State of the warehouse as Dagster's page of asset ops/status shows it."""

from collections.abc import Mapping
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
    """State at a moment: the days that are not as they should be, and answers in Markdown by question."""

    days: list[DayState]
    answers: Mapping[str, str]

    @property
    def page(self) -> str:
        """Return the whole page as Markdown."""
        return "\n\n".join(f"### {question}\n\n{answer}" for question, answer in self.answers.items())

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
    """Return the event that shows the state. Dagster shows texts at once, and tables at a click."""
    metadata: dict[str, Any] = {
        question: dg.MetadataValue.md(answer) if "|---" in answer else dg.MetadataValue.text(answer)
        for question, answer in status.answers.items()
    }
    return dg.AssetObservation(
        ASSET,
        description=status.headline,
        metadata={**metadata, **days_not_current.counts(status.days), "whole page": dg.MetadataValue.md(status.page)},
    )
