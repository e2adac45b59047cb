"""Measures that are watched, and the states in which a day may be. Declarations only, which every process may load.

Their values and scales are in scales.py.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

# The total over all sources, beside them.
ALL_SOURCES: Final = "all"
# A day is compared with the same weekday of so many weeks.
BASELINE_WEEKS: Final = 8
# Each of these is left out if it is an anomaly of its own weeks.
LOOKBACK_WEEKS: Final = 2 * BASELINE_WEEKS


class Kind(StrEnum):
    """The kind of a measure, which decides its scale."""

    COUNT = "count"
    # A count of hours, of which one without a case grows unlikely faster than others.
    HOURS = "hours"
    SHARE = "share"
    MEAN = "mean"


class State(StrEnum):
    """The state of a measure on a day."""

    USUAL = "usual"
    UNUSUAL = "unusual"
    EXTREME = "extreme"
    # The baseline has fewer than four values, or the day is a holiday.
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure: a count, the share of `numerator` in `denominator`, or the mean of `numerator` over `denominator`.

    Attributes:
        name: The name, of which the checks have theirs.
        description: The meaning of the measure, to complete "On every day, ...".
        cases: The column that chance depends on: the number of cases.
        has_logs: The numerator is a sum of logarithms, so that the mean is a geometric one.
        has_total: False where sources cannot be added up.
        by_landing_day: The day is that on which lines landed, not that of their events.
    """

    name: str
    kind: Kind
    description: str
    numerator: str
    denominator: str | None
    cases: str
    has_logs: bool = False
    has_total: bool = True
    by_landing_day: bool = False


MEASURES: Final = (
    Measure("events", Kind.COUNT, "the events", "events", None, "events"),
    Measure(
        "active_hours", Kind.HOURS, "the hours with events of a source", "active_hours", None, "events",
        has_total=False,
    ),
    Measure(
        "delayed_share", Kind.SHARE, "the share of events received over an hour after they occurred",
        "delayed_events", "events", "events",
    ),
    Measure("sessions", Kind.COUNT, "the sessions", "sessions", None, "sessions"),
    Measure("direct_share", Kind.SHARE, "the share of sessions of channel Direct", "direct_sessions", "sessions",
            "sessions"),
    Measure("unassigned_share", Kind.SHARE, "the share of sessions of channel Unassigned", "unassigned_sessions",
            "sessions", "sessions"),
    Measure("conversions", Kind.COUNT, "the conversions", "conversions", None, "conversions"),
    Measure("conversion_rate", Kind.MEAN, "the conversions per session", "conversions", "sessions", "conversions"),
    Measure(
        "repeated_conversion_share", Kind.SHARE, "the share of conversions that repeat another one of the day",
        "repeated_conversions", "conversions", "conversions",
    ),
    Measure("revenue", Kind.COUNT, "the revenue", "revenue_cents", None, "revenue_events"),
    Measure(
        "revenue_per_conversion", Kind.MEAN, "the revenue per conversion", "revenue_cents", "conversions",
        "revenue_events",
    ),
    Measure(
        "typical_revenue", Kind.MEAN, "the geometric mean of the revenue of an event",
        "revenue_logs", "revenue_events", "revenue_events", has_logs=True,
    ),
    Measure("rejected_share", Kind.SHARE, "the share of rejected lines", "rejected", "lines", "lines",
            by_landing_day=True),
    Measure("duplicate_share", Kind.SHARE, "the share of duplicate lines", "duplicates", "lines", "lines",
            by_landing_day=True),
    Measure("late_share", Kind.SHARE, "the share of lines with late events", "late", "lines", "lines",
            by_landing_day=True),
)  # fmt: skip
