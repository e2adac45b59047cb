"""Thresholds of anomalies: for each measure and source, with the reason and the date of their choice.

Set on seeds 1 to 5 of the generated marketplace and reported on seeds 6 to 10: `make bench-anomalies`.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Threshold:
    """Bounds of a measure.

    Attributes:
        least_cases: A source with fewer cases a day is not assessed: its measure is mostly chance.
        floor: The least spread, on the scale of the measure: what days differ by without a cause.
        dispersion: How many times the spread of independent cases the cases have; they come in groups.
        warn: A score beyond it, either way, is a warning.
        block: The factor, either way, beyond which a day with twice that score is not published. None for measures
            that only warn.
        reason: Why these bounds, with their date.
    """

    least_cases: float
    floor: float
    dispersion: float
    warn: float
    block: float | None
    reason: str


_COUNTS: Final = "Days of one weekday differ by 4 % without a cause. A session brings several events (2026-11)."
_BUYING: Final = "Conversions are few and their amounts differ widely: 5 % beside chance (2026-11)."
_SHARES: Final = "Shares of one weekday differ by a point without a cause (2026-11)."

# By measure, or by measure and source where a source has bounds of its own: measure/source.
THRESHOLDS: Final[dict[str, Threshold]] = {
    "events": Threshold(50, 0.04, 3.0, 5.0, 2.5, _COUNTS),
    "active_hours": Threshold(
        500,
        0.015,
        2.0,
        5.0,
        None,
        "A source with 20 events an hour has no hour without one, at night either (2026-11).",
    ),
    "delayed_share": Threshold(
        50, 0.015, 3.0, 5.0, None, "Devices without a connection send what they kept at once (2026-11)."
    ),
    "sessions": Threshold(30, 0.04, 1.0, 5.0, 2.5, _COUNTS),
    "direct_share": Threshold(30, 0.01, 1.0, 5.0, None, _SHARES),
    "unassigned_share": Threshold(30, 0.01, 1.0, 5.0, None, _SHARES),
    "conversions": Threshold(5, 0.05, 1.0, 5.0, 4.0, _BUYING),
    "conversion_rate": Threshold(5, 0.05, 1.0, 5.0, None, _BUYING),
    "repeated_conversion_share": Threshold(
        5, 0.02, 0.5, 5.0, None, "Hardly a conversion repeats another one, so that a few are many (2026-11)."
    ),
    "revenue": Threshold(5, 0.05, 1.5, 5.0, 5.0, _BUYING),
    "revenue_per_conversion": Threshold(5, 0.05, 1.5, 5.0, 5.0, _BUYING),
    "typical_revenue": Threshold(5, 0.05, 1.5, 5.0, None, _BUYING),
    "rejected_share": Threshold(50, 0.01, 1.0, 5.0, None, _SHARES),
    "duplicate_share": Threshold(50, 0.01, 1.0, 5.0, None, _SHARES),
    "late_share": Threshold(50, 0.015, 3.0, 5.0, None, "A device that was offline sends a visit at once (2026-11)."),
}


def threshold_of(measure: str, source: str) -> Threshold:
    """Return the bounds of a measure of a source."""
    return THRESHOLDS.get(f"{measure}/{source}") or THRESHOLDS[measure]
