"""What a check says about a window: the outcome, its severity, and the values that may stand in it.

The words of this package only. Judging is done by its neighbours, writing outcomes down by results.py.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
    """What a failed check does: an error keeps the window from being published, a warning is shown."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class CheckOutcome:
    """One judgement about one window.

    `name` says what must hold; `observed` holds the counts behind the judgement, `days` the days that break the
    rule (of a passed check none), `sample` up to SAMPLE_ROWS rows that show how. With `covers_all_days` it is about all
    there is, whatever the window, so that the latest one counts for every day. Raises TypeError when `observed`
    or `sample` hold anything that JSON does not know, and ValueError when days contradict the judgement.
    """

    name: str
    passed: bool
    severity: Severity
    observed: Mapping[str, JsonValue]
    days: tuple[date, ...] = ()
    sample: tuple[Mapping[str, JsonValue], ...] = ()
    covers_all_days: bool = False

    def __post_init__(self) -> None:
        # json.dumps is the definition of "plain" that Dagster's metadata and jsonb share; NaN is in neither.
        json.dumps([dict(self.observed), [dict(row) for row in self.sample]], allow_nan=False)
        if self.passed == bool(self.days):
            # A failure without a day would leave nothing to hold back, a bad day in a passed check nothing to read.
            raise ValueError(f"{self.name}: a failed check names its bad days and a passed one has none: {self}")

    @property
    def blocks(self) -> bool:
        """Whether this outcome keeps its window from being published."""
        return self.severity is Severity.ERROR and not self.passed


def days_of(window: Window) -> Iterator[date]:
    """Every day of the window, oldest first."""
    for offset in range((window.end - window.start).days):
        yield window.start + timedelta(days=offset)


def json_value(value: object) -> JsonValue:
    """The value as JSON knows it: whole decimals as integers, other decimals, dates, ids and bytes as text.

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
    raise TypeError(f"a check outcome holds plain values, not {type(value).__name__}")


def json_row(row: Mapping[str, object]) -> dict[str, JsonValue]:
    """A row of a query as JSON knows it."""
    return {str(name): json_value(value) for name, value in row.items()}


def blocking(
    name: str,
    observed: Mapping[str, object],
    wrong: Sequence[Mapping[str, object]],
    bad_days: Iterable[date],
    *,
    covers_all_days: bool = False,
) -> CheckOutcome:
    """The outcome of a check that keeps its window from being published as soon as one row is wrong."""
    return CheckOutcome(
        name=name,
        passed=not wrong,
        severity=Severity.ERROR,
        observed=json_row(observed),
        days=tuple(sorted(bad_days)),
        sample=tuple(json_row(row) for row in wrong[:SAMPLE_ROWS]),
        covers_all_days=covers_all_days,
    )


def blocking_by_day(
    name: str, observed: Mapping[str, object], differences: Sequence[Mapping[str, Any]]
) -> CheckOutcome:
    """The same where every wrong row says by its metric_date which day is bad."""
    bad_days: set[date] = {row["metric_date"] for row in differences}
    return blocking(name, {**observed, "bad_days": len(bad_days)}, differences, bad_days)


def blocking_by_last_day(
    name: str, observed: Mapping[str, object], differences: Sequence[Mapping[str, object]], window: Window
) -> CheckOutcome:
    """The same where what is wrong belongs to the run as a whole: the last day of its window stands for it."""
    bad_days = [window.end - timedelta(days=1)] if differences else []
    return blocking(name, observed, differences, bad_days, covers_all_days=True)
