"""Checks of anomalies: two for each measure, a warning at its usual range and an error at its blocking one.

quality_checks/anomalies has the measures, thresholds and assessments.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, timedelta
from math import isnan
from typing import TYPE_CHECKING, Any, Final

import psycopg

from quality_checks.anomalies.measures import ALL_SOURCES, LOOKBACK_WEEKS, MEASURES, Measure, State
from quality_checks.anomalies.thresholds import THRESHOLDS
from quality_checks.outcome import Finding, JsonValue, Severity, finding
from quality_checks.queries import rows_of
from quality_checks.registry import Rule, RuleCheck, check
from warehouse.window import Window

if TYPE_CHECKING:
    import pandas as pd

_ASSET: Final = "build/event_source_days"
# The columns of a assessment that results show.
_SHOWN: Final = ("event_source", "state", "value", "expected", "low", "high", "score", "baseline_weeks")


def usual_check(measure: str) -> str:
    """Return the name of the check that warns of a measure."""
    return f"{measure}_within_usual_range"


def blocking_check(measure: str) -> str:
    """Return the name of the check that holds a day back for a measure."""
    return f"{measure}_within_blocking_range"


def _register(measure: Measure) -> list[RuleCheck]:
    bounds = THRESHOLDS[measure.name]
    day = "landing day" if measure.by_landing_day else "day"
    warned = f"On every {day}, {measure.description} is as {measure.name} of the same weekday in 8 weeks leads to."
    registered = [
        check(_ASSET, severity=Severity.WARNING, threshold=bounds.warn, also_checks=_also_checks(measure))(
            _rule(measure, usual_check(measure.name), warned, {State.UNUSUAL, State.EXTREME})
        )
    ]
    if bounds.block is not None:
        held_back = f"On no {day}, {measure.description} has changed by a factor of {bounds.block:g} or more at once."
        registered.append(
            check(_ASSET, threshold=bounds.block)(
                _rule(measure, blocking_check(measure.name), held_back, {State.EXTREME})
            )
        )
    return registered


def _rule(measure: Measure, name: str, description: str, bad_states: Iterable[State]) -> Rule:
    bad = [state.value for state in bad_states]

    def rule(connection: psycopg.Connection, window: Window) -> Finding:
        # Imported late: pandas takes a second, which processes that only list checks should not pay.
        from quality_checks.anomalies.assessments import assessments

        found = assessments(connection, [measure], window.days())
        wrong = found[found["state"].isin(bad)]
        counts = found["state"].value_counts()
        observed: dict[str, object] = {
            "assessed": int(len(found) - counts.get(State.SILENT, 0)),
            "not_assessed": int(counts.get(State.SILENT, 0)),
            "outside_the_range": len(wrong),
        }
        last = found[found["day"] == max(window.days())]
        total = last[last["event_source"] == ALL_SOURCES] if measure.has_total else last[:1]
        for row in _rows(total):
            observed |= {name: row[name] for name in ("value", "expected", "low", "high")}
        by_distance = wrong.sort_values("score", key=abs, ascending=False)
        # An override holds for the values, whatever they are compared with later.
        values: JsonValue = [[str(row["day"]), row["event_source"], row["value"]] for row in _rows(wrong, "day")]
        return replace(finding(observed, _rows(by_distance, "day"), wrong["day"]), value=values)

    rule.__name__, rule.__qualname__, rule.__doc__ = name, name, description
    return rule


def _rows(found: "pd.DataFrame", *more: str) -> list[dict[str, Any]]:
    """Return assessments as JSON knows them: rounded, and null where nothing is known."""
    rows = found[[*more, *_SHOWN]].to_dict("records")
    return [{str(name): _json(value) for name, value in row.items()} for row in rows]


def _json(value: Any) -> Any:
    if isinstance(value, float):
        # Six digits are more than a person reads.
        return None if isnan(value) else float(f"{value:.6g}")
    return value


# Landing days that were counted again since the check last ran.
_COUNTED_SINCE: Final = """
select distinct landing_date
from ops.landing_measures
where counted_at > (select max(checked_at) from ops.check_results where check_name = %(check)s)
"""
_PUBLISHED: Final = "select event_date from ops.published_days where event_date = any(%(days)s::date[])"


def _also_checks(measure: Measure) -> Callable[[psycopg.Connection, Window], set[date]]:
    def published_days(connection: psycopg.Connection, window: Window) -> set[date]:
        changed = set(window.days())
        if measure.by_landing_day:
            counted = rows_of(connection, _COUNTED_SINCE, check=usual_check(measure.name))
            changed |= {row["landing_date"] for row in counted}
        weeks = range(LOOKBACK_WEEKS + 1)
        days = {day + timedelta(weeks=week) for day in changed for week in weeks}.difference(window.days())
        return {row["event_date"] for row in rows_of(connection, _PUBLISHED, days=sorted(days))}

    return published_days


CHECKS: Final = tuple(registered for measure in MEASURES for registered in _register(measure))
