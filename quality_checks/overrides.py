"""Overrides: blocking checks that a person has overruled for a day, with a reason, until what they find changes.

A check that fails for nothing but overridden days is recorded as passed, and its result names the override. Table
ops.check_overrides keeps overrides for ever.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any, Final

import psycopg

from quality_checks.outcome import CheckOutcome, JsonValue
from warehouse.window import ONE_DAY, Window

# Runs a check, by its name, for one day.
RunForDay = Callable[[str, date], CheckOutcome]


class InvalidOverride(Exception):
    """An override that cannot be recorded; the message says why."""


@dataclass(frozen=True, slots=True)
class Override:
    """A day and the check that is overruled for it, with the reason and the person."""

    day: date
    check: str
    reason: str
    name: str


_LAST_RESULT: Final = """
select is_passed, severity, observed, window_end - window_start from ops.check_results
where check_name = %(check)s and (
    covers_all_days or window_start <= %(day)s and window_end > %(day)s or %(day)s = any(bad_days)
)
order by checked_at desc
limit 1
"""
_RECORD: Final = """
insert into ops.check_overrides (event_date, check_name, reason, name, found, digest)
values (%s, %s, %s, %s, %s, %s)
"""


def record(connection: psycopg.Connection, overrides: Sequence[Override]) -> None:
    """Record overrides of the last results of checks, all or none.

    Raises InvalidOverride for a missing reason or name, and for a check that does not refuse the day.
    """
    with connection.transaction(), connection.cursor() as cursor:
        for override in overrides:
            found = _overruled(cursor, override)
            values = (override.day, override.check, override.reason.strip(), override.name.strip())
            cursor.execute(_RECORD, [*values, json.dumps(found), _digest(found)])


def _overruled(cursor: psycopg.Cursor, override: Override) -> JsonValue:
    """Return the finding that an override overrules."""
    refused = f"{override.day} was not published"
    for missing, text in (("a reason", override.reason), ("a name", override.name)):
        if not text.strip():
            raise InvalidOverride(f"{refused}: give {missing}, which is kept with the day")
    last = cursor.execute(_LAST_RESULT, {"check": override.check, "day": override.day}).fetchone()
    if last is None:
        raise InvalidOverride(f"{refused}: there is no result of a check {override.check} for the day")
    is_passed, severity, observed, days = last
    if is_passed or severity != "error":
        raise InvalidOverride(f"{refused}: {override.check} does not refuse the day. Name the checks that do")
    if days != 1:
        raise InvalidOverride(
            f"{refused}: {override.check} last looked at it among {days} days. Run the day alone, so that its own"
            f" result can be overruled: dg launch --job daily_refresh --partition {override.day}"
        )
    return _found(observed)


def apply(
    connection: psycopg.Connection, outcomes: Sequence[CheckOutcome], window: Window, run_for_day: RunForDay
) -> list[CheckOutcome]:
    """Return the outcomes of a window without the failures of overridden days, and note which overrides are in force.

    An override holds for the finding of the day alone. A longer window runs the check for the day once more.
    """
    known: dict[tuple[str, date], dict[str, str]] = {}
    for check, day, digest, reason in connection.execute(
        "select check_name, event_date, digest, name || ': ' || reason from ops.check_overrides"
        " where event_date >= %s and event_date < %s order by overridden_at",
        [window.start, window.end],
    ):
        known.setdefault((check, day), {})[digest] = reason
    applied = []
    for outcome in outcomes:
        overridden: dict[str, JsonValue] = {}
        for day in [day for check, day in known if check == outcome.name]:
            digest = ""
            if day in outcome.days:
                alone = outcome if window == Window(day, day + ONE_DAY) else run_for_day(outcome.name, day)
                digest = _digest(_found(recorded_value(alone)))
            _set_in_force(connection, outcome.name, day, digest)
            if digest in known[outcome.name, day]:
                overridden[day.isoformat()] = known[outcome.name, day][digest]
        applied.append(_without(outcome, overridden) if overridden else outcome)
    return applied


def recorded_value(outcome: CheckOutcome) -> dict[str, Any]:
    """Return the finding of an outcome as it is recorded in ops.check_results."""
    value = {} if outcome.value is None else {"value_found": outcome.value}
    return {**outcome.observed, **value, "sample": [dict(row) for row in outcome.sample]}


def _found(recorded: dict[str, Any]) -> JsonValue:
    """Return the part of a recorded finding for which an override holds."""
    found: JsonValue = recorded.get("value_found", recorded)
    return found


def _without(outcome: CheckOutcome, overridden: dict[str, JsonValue]) -> CheckOutcome:
    days = tuple(day for day in outcome.days if day.isoformat() not in overridden)
    observed = {**outcome.observed, "overridden": overridden}
    return replace(outcome, days=days, observed=observed, sample=outcome.sample if days else ())


def _set_in_force(connection: psycopg.Connection, check: str, day: date, digest: str) -> None:
    connection.execute(
        "update ops.check_overrides set is_in_force = digest = %(digest)s"
        " where check_name = %(check)s and event_date = %(day)s and is_in_force <> (digest = %(digest)s)",
        {"digest": digest, "check": check, "day": day},
    )


def _digest(found: JsonValue) -> str:
    return hashlib.sha256(json.dumps(_canonical(found), sort_keys=True).encode()).hexdigest()


def _canonical(value: Any) -> Any:
    """Return a JSON value with its numbers in one form: Postgres writes 1e16 as 10000000000000000."""
    match value:
        case bool() | str() | None:
            return value
        case int() | float():
            return {"number": format(Decimal(str(value)).normalize(), "f")}
        case dict():
            return {name: _canonical(inner) for name, inner in value.items()}
        case _:
            return [_canonical(inner) for inner in value]
