"""Results of checks: what a rule finds in a window, the outcome that is recorded, and the values that both may hold.

Outcomes are recorded by quality_checks/results.py.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, TypeAlias
from uuid import UUID

from warehouse.window import Window

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"

# A sample is for a person to start looking from, and is stored with every failed outcome: a screenful is enough.
SAMPLE_ROWS: Final = 20


class Severity(StrEnum):
    """The effect of a failed check: an error keeps the window from being published, a warning is shown."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """Counts, bad days and sample rows that a check has found in a window. Without a bad day the check passes.

    `observed` holds the counts behind the result, `days` the days that break the rule, and `sample` up to SAMPLE_ROWS
    rows that show how. With `covers_all_days` the finding is about all there is, whatever the window, so that the
    latest one counts for every day. An override of a day holds while `value` stays, by default all of the finding.
    Raises ValueError for a sample without a bad day, which would hold nothing back, and TypeError when `observed` or
    `sample` hold anything that JSON does not know.
    """

    observed: Mapping[str, JsonValue]
    days: tuple[date, ...] = ()
    sample: tuple[Mapping[str, JsonValue], ...] = ()
    covers_all_days: bool = False
    value: JsonValue = None

    def __post_init__(self) -> None:
        if self.sample and not self.days:
            raise ValueError(f"wrong rows belong to bad days, and none is named: {self}")
        # json.dumps decides what Dagster's metadata and jsonb both hold; NaN is in neither.
        json.dumps([dict(self.observed), [dict(row) for row in self.sample]], allow_nan=False)

    @property
    def passed(self) -> bool:
        """True without a bad day."""
        return not self.days


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOutcome(Finding):
    """The result of one check for one window: a finding with the name and severity of the check."""

    name: str
    severity: Severity

    @property
    def blocks(self) -> bool:
        """True when this outcome keeps its window from being published."""
        return self.severity is Severity.ERROR and not self.passed


def json_value(value: object) -> JsonValue:
    """Return a value as JSON knows it: whole decimals as integers; other decimals, dates, ids and bytes as text.

    Decimals with a fraction become text because a float would change them. Raises TypeError on any other type.
    """
    match value:
        case None | bool() | int() | float() | str():
            return value
        case Decimal():
            return int(value) if value == value.to_integral_value() else str(value)
        case datetime() | date():
            return value.isoformat()
        case UUID():
            return str(value)
        case bytes():
            return value.hex()
        case list() | tuple():
            return [json_value(item) for item in value]
        case Mapping():
            return json_row(value)
    raise TypeError(f"a check outcome holds JSON values, not {type(value).__name__}")


def json_row(row: Mapping[str, object]) -> dict[str, JsonValue]:
    """Return a row of a query as JSON knows it."""
    return {str(name): json_value(value) for name, value in row.items()}


def finding(
    observed: Mapping[str, object],
    wrong_rows: Sequence[Mapping[str, object]] = (),
    bad_days: Iterable[date] = (),
    *,
    covers_all_days: bool = False,
) -> Finding:
    """Return a finding with values as JSON knows them, each bad day once, and the first of the wrong rows."""
    return Finding(
        observed=json_row(observed),
        days=tuple(sorted(set(bad_days))),
        sample=tuple(json_row(row) for row in wrong_rows[:SAMPLE_ROWS]),
        covers_all_days=covers_all_days,
    )


def finding_by_day(observed: Mapping[str, object], wrong_rows: Sequence[Mapping[str, Any]]) -> Finding:
    """Return a finding whose bad days are the `metric_date` of its wrong rows."""
    bad_days: set[date] = {row["metric_date"] for row in wrong_rows}
    return finding({**observed, "bad_days": len(bad_days)}, wrong_rows, bad_days)


def finding_of_run(
    observed: Mapping[str, object], wrong_rows: Sequence[Mapping[str, object]], window: Window
) -> Finding:
    """Return a finding about the run as a whole, for which the last day of its window stands."""
    bad_days = [window.end - timedelta(days=1)] if wrong_rows else []
    return finding(observed, wrong_rows, bad_days, covers_all_days=True)
