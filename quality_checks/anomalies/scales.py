"""Values of measures, and the scale on which each is compared. Pure functions."""

from typing import Final

import numpy as np
import pandas as pd

from quality_checks.anomalies.measures import Kind, Measure
from quality_checks.anomalies.scores import Floats

_HOURS_A_DAY: Final = 24


def values_of(measure: Measure, counts: pd.DataFrame) -> Floats:
    """Return the measure for each row of counts; NaN where there is nothing to divide by."""
    numerator = np.asarray(counts[measure.numerator], dtype=float)
    if measure.denominator is None:
        return numerator
    denominator = np.asarray(counts[measure.denominator], dtype=float)
    ratio = np.divide(numerator, denominator, out=np.full(len(counts), np.nan), where=denominator > 0)
    mean: Floats = np.exp(ratio) if measure.has_logs else ratio
    return mean


def scaled(measure: Measure, values: Floats) -> Floats:
    """Return values on the scale of comparison: logarithms, or arcsines of the roots of shares."""
    if measure.kind is Kind.SHARE:
        return np.arcsin(np.sqrt(np.clip(values, 0, 1)))
    # Of a count 0 is a value like any other; of a mean it is none.
    return np.log(np.where(values > 0, values, np.nan)) if measure.kind is Kind.MEAN else np.log(values + 1)


def unscaled(measure: Measure, scaled: Floats) -> Floats:
    """Return the values that lie at these places of the scale."""
    if measure.kind is Kind.SHARE:
        return np.sin(np.clip(scaled, 0, np.pi / 2)) ** 2
    return np.exp(scaled) if measure.kind is Kind.MEAN else np.clip(np.exp(scaled) - 1, 0, None)


def chance(measure: Measure, cases: Floats, dispersion: float) -> Floats:
    """Return the spread that chance alone gives for so many cases. Cases that come in groups raise `dispersion`."""
    if measure.kind is Kind.HOURS:
        return dispersion * _HOURS_A_DAY / np.clip(cases, 1, None)
    spread = dispersion / np.sqrt(np.clip(cases, 1, None))
    return spread / 2 if measure.kind is Kind.SHARE else spread
