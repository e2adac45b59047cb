"""Bounds of retention: until which day the rows of sealed days are dropped from each table.

A row stays as long as the build of an unsealed day may read it. Tables that are not named here keep their rows;
docs/concepts/retention.md says why.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from attribution.weeks import FIT_DAYS
from publishing.marts import Mart
from publishing.scopes import Scope
from quality_checks.raw_events import KEY_NEIGHBOUR_DAYS
from warehouse.retention import visitor_days_from
from warehouse.window import ONE_DAY, monday_of

# A session goes on into the next day and no further.
_SESSION_DAYS: Final = ONE_DAY
# The tables of schema rollups that have a row a visitor and day.
VISITOR_DAYS: Final = ("visitor_active_days", "visitor_asset_days")
RAW_EVENTS, RAW_DUPLICATES, RAW_REJECTED = "raw.events", "raw.duplicate_events", "raw.rejected_events"
SESSIONS: Final = "marts.sessions"
OBSERVATIONS: Final = "intermediate.int_identity_observations"


@dataclass(frozen=True, slots=True)
class Bound:
    """A bound of a table: rows of days before `before` are dropped. `column` has the day of a row."""

    relation: str
    column: str
    before: date


def bounds(first_unsealed: date, marts: Iterable[Mart], *, attribution_days: int, funnel_days: int) -> list[Bound]:
    """Return the bounds of all tables that lose rows of sealed days.

    The lookbacks are those of the dbt vars. A week is fitted on the FIT_DAYS days before its Monday, whose paths look
    back further.
    """
    raw = first_unsealed - max(_SESSION_DAYS, KEY_NEIGHBOUR_DAYS)
    paths = timedelta(days=attribution_days)
    fits = min(monday_of(first_unsealed) - timedelta(days=FIT_DAYS) - paths, first_unsealed - paths)
    whole_from = visitor_days_from(first_unsealed)
    return [
        # The other two raw tables have the rows of the same loads.
        Bound(RAW_EVENTS, "event_date", raw),
        Bound(RAW_DUPLICATES, "event_date", raw),
        Bound(RAW_REJECTED, "event_date", raw),
        Bound("intermediate.int_events_sessionized", "written_with_date", first_unsealed - _SESSION_DAYS),
        Bound("intermediate.int_identity_resolved", "event_date", first_unsealed),
        Bound(OBSERVATIONS, "event_date", first_unsealed),
        Bound("intermediate.int_sessions", "session_date", fits),
        Bound("intermediate.int_conversion_paths", "conversion_date", fits),
        Bound("intermediate.int_funnel_events", "event_date", first_unsealed - timedelta(days=funnel_days)),
        *(
            Bound(f"build.{mart.name}", mart.date_column, before)
            for mart in marts
            if not mart.is_view and (before := kept_from(mart.scope, first_unsealed))
        ),
        *(Bound(f"rollups.{name}", "metric_date", whole_from) for name in VISITOR_DAYS),
        Bound(SESSIONS, "metric_date", first_unsealed),
    ]


def kept_from(scope: Scope, first_unsealed: date) -> date | None:
    """Return the date of the first row that a run may still replace; None for marts without days of their own."""
    return {
        Scope.DAY: first_unsealed,
        Scope.WEEK: monday_of(first_unsealed),
        Scope.MONTH: first_unsealed.replace(day=1),
    }.get(scope)
