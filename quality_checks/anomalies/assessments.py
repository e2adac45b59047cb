"""Assessments on days: each measure of each source against its baseline, as usual, unusual or extreme.

A assessment follows from the counts of the day and of the 16 weeks before alone, whatever was assessed before.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Final

import numpy as np
import pandas as pd
import psycopg

from quality_checks.anomalies import scales
from quality_checks.anomalies.counts import counts_of, holidays_among, same_weekdays_before
from quality_checks.anomalies.measures import ALL_SOURCES, BASELINE_WEEKS, LOOKBACK_WEEKS, Measure, State
from quality_checks.anomalies.scores import Floats, Scores, medians, scores
from quality_checks.anomalies.thresholds import Threshold, threshold_of

# The columns of a assessment.
COLUMNS: Final = (
    "day", "measure", "event_source", "state", "value", "expected", "low", "high", "score", "baseline_weeks"
)  # fmt: skip


def assessments(connection: psycopg.Connection, measures: Sequence[Measure], days: Iterable[date]) -> pd.DataFrame:
    """Return a assessment for each day, measure and source of which anything is known. Columns: COLUMNS."""
    assessed = sorted(set(days))
    needed = {*assessed, *same_weekdays_before(assessed, LOOKBACK_WEEKS)}
    holidays = holidays_among(connection, needed)
    found = []
    for by_landing_day in (False, True):
        of_kind = [measure for measure in measures if measure.by_landing_day is by_landing_day]
        counts = counts_of(connection, needed, by_landing_day=by_landing_day) if of_kind else pd.DataFrame()
        if not counts.empty:
            found += [assessments_on(counts, measure, assessed, holidays) for measure in of_kind]
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=list(COLUMNS))


def assessments_on(
    counts: pd.DataFrame, measure: Measure, days: Sequence[date], holidays: Iterable[date] = ()
) -> pd.DataFrame:
    """Return the assessments on a measure of days, of each source and of all together.

    `counts` have a row for each day and source (index: counts.KEYS). Days that they do not have are unknown.
    """
    if measure.has_total:
        total = counts.groupby(level="day").sum()
        counts = pd.concat([counts, total.assign(event_source=ALL_SOURCES).set_index("event_source", append=True)])
    values = scales.values_of(measure, counts)
    of_rows = {
        "value": values,
        "scaled": scales.scaled(measure, values),
        "cases": counts[measure.cases].to_numpy(float),
    }
    rows = pd.DataFrame(of_rows, index=counts.index)
    rows.loc[rows.index.isin(list(holidays), level="day"), "scaled"] = np.nan
    return pd.concat(
        [
            _assessments_on_source(of_source.droplevel("event_source"), measure, str(source), days)
            for source, of_source in rows.groupby(level="event_source")
        ],
        ignore_index=True,
    )


def _assessments_on_source(rows: pd.DataFrame, measure: Measure, source: str, days: Sequence[date]) -> pd.DataFrame:
    """Return the assessments on the days of a source that are known. `rows` have a row a day."""
    bounds = threshold_of(measure.name, source)
    days = [day for day in days if day in rows.index]
    before = sorted(same_weekdays_before(days))
    # Whether a day is an anomaly of its own weeks, without leaving out others: else no end of weeks would be needed.
    first = _scores(rows, measure, before, bounds)
    anomalies = {day for day, score in zip(before, first.score, strict=True) if abs(score) > bounds.warn}
    found = _scores(rows, measure, days, bounds, anomalies)
    # Holidays and anomalies are known too.
    has_all_weeks = ~np.isnan(_lagged(rows["cases"], days)[:, 1:]).any(axis=1)
    reach = bounds.warn * found.spread
    assessment = pd.DataFrame(
        {
            "day": days,
            "measure": measure.name,
            "event_source": source,
            "state": State.SILENT.value,
            "value": _lagged(rows["value"], days)[:, 0],
            "expected": scales.unscaled(measure, found.expected),
            "low": scales.unscaled(measure, found.expected - reach),
            "high": scales.unscaled(measure, found.expected + reach),
            "score": found.score,
            "baseline_weeks": found.baseline_values,
        }
    )
    assessment.loc[~np.isnan(found.score), "state"] = State.USUAL.value
    assessment.loc[np.abs(found.score) > bounds.warn, "state"] = State.UNUSUAL.value
    if bounds.block is not None:
        change = np.abs(found.score * found.spread)
        is_extreme = (np.abs(found.score) > 2 * bounds.warn) & (change > np.log(bounds.block)) & has_all_weeks
        assessment.loc[is_extreme, "state"] = State.EXTREME.value
    return assessment


def _scores(
    rows: pd.DataFrame, measure: Measure, days: Sequence[date], bounds: Threshold, anomalies: Iterable[date] = ()
) -> Scores:
    lagged = _lagged(rows["scaled"], days)
    cases = np.nan_to_num(medians(_lagged(rows["cases"], days)[:, 1:]))
    least_spread = np.hypot(bounds.floor, scales.chance(measure, cases, bounds.dispersion))
    lagged[cases < bounds.least_cases, 1:] = np.nan
    left_out = _lagged(pd.Series(1.0, index=sorted(anomalies)), days) == 1.0 if anomalies else None
    return scores(lagged, least_spread, is_left_out=left_out)


def _lagged(series: "pd.Series[float]", days: Sequence[date]) -> Floats:
    """Return the values of days and of the same weekdays before: shape (days, 1 + BASELINE_WEEKS)."""
    by_day = series.to_dict()
    weeks = range(BASELINE_WEEKS + 1)
    rows = [[by_day.get(day - timedelta(weeks=week), np.nan) for week in weeks] for day in days]
    return np.array(rows, dtype=float).reshape(len(days), BASELINE_WEEKS + 1)
