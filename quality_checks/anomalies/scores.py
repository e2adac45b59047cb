"""Scores of values against the same weekday of earlier weeks: trend, robust spread, and states. Pure functions.

Values are on a scale on which equal changes are equal distances: logarithms of counts and amounts, arcsines of shares.
Arrays have a row a day. Column 0 is the day itself, column k the same weekday k weeks before. A missing value is NaN.
"""

from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

# Fewer values have no spread that could be trusted.
MIN_BASELINE_VALUES: Final = 4
# Fewer values have no trend either: one outlier would tilt it.
_MIN_TREND_VALUES: Final = 6
# Growth by a fifth a week is an event and no trend (November 2026).
_MAX_WEEKLY_CHANGE: Final = 0.2
# Of a normal distribution, the standard deviation is so many times the median absolute deviation.
_DEVIATIONS: Final = 1.4826


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores of days: arrays with a value a day.

    Attributes:
        expected: The value that the trend of earlier weeks leads to; NaN without a baseline.
        spread: The standard deviation that is expected around it.
        score: The distance of the value from the expected one, in units of the spread.
        baseline_values: How many earlier weeks are in the baseline.
    """

    expected: Floats
    spread: Floats
    score: Floats
    baseline_values: NDArray[np.int64]


def scores(values: Floats, least_spread: Floats, *, is_left_out: Flags | None = None) -> Scores:
    """Return the scores of days against their earlier weeks.

    Args:
        values: Shape (days, 1 + weeks).
        least_spread: Shape (days,): the spread that chance alone gives.
        is_left_out: The shape of `values`: earlier weeks that are anomalies themselves.
    """
    baseline = values[:, 1:].copy()
    if is_left_out is not None:
        baseline[is_left_out[:, 1:]] = np.nan
    counts = np.sum(~np.isnan(baseline), axis=1)
    baseline[counts < MIN_BASELINE_VALUES] = np.nan
    weeks = -np.arange(1.0, baseline.shape[1] + 1)
    slope = _trend(baseline, weeks, counts)
    levels = baseline - slope[:, None] * weeks
    expected = medians(levels)
    spread = np.maximum(_DEVIATIONS * medians(np.abs(levels - expected[:, None])), least_spread)
    return Scores(expected, spread, (values[:, 0] - expected) / spread, counts)


def _trend(baseline: Floats, weeks: Floats, counts: NDArray[np.int64]) -> Floats:
    """Return the change a week: the median of the slopes between all pairs of values (Theil and Sen)."""
    pairs = list(combinations(range(len(weeks)), 2))
    slopes = np.stack([(baseline[:, i] - baseline[:, j]) / (weeks[i] - weeks[j]) for i, j in pairs], axis=1)
    slope = np.clip(medians(slopes), -_MAX_WEEKLY_CHANGE, _MAX_WEEKLY_CHANGE)
    return np.where(counts >= _MIN_TREND_VALUES, slope, 0.0)


def medians(rows: Floats) -> Floats:
    """Return the median of each row without its missing values; NaN for a row without any."""
    found = np.full(len(rows), np.nan)
    has_values = ~np.isnan(rows).all(axis=1)
    found[has_values] = np.nanmedian(rows[has_values], axis=1)
    return found
