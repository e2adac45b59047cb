"""Days of marts that are refused, late, missing or stale: what view marts.stale_days says, for people to read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Final

import psycopg

from warehouse.window import ONE_DAY

# A month; the view has all of them.
_ROWS_SHOWN: Final = 31
_MARTS_SHOWN: Final = 3


class State(StrEnum):
    """States of view marts.stale_days about which something is to be done."""

    REFUSED = "refused"
    LATE = "late"
    MISSING = "missing"
    STALE = "stale"


@dataclass(frozen=True, slots=True)
class DayState:
    """A day with its state in some marts.

    Attributes:
        day: The event day.
        state: The state.
        why: Names of failed checks, and reasons of the view.
        since: The moment since which it is so, as far as it is known.
        is_published: Whether readers see older numbers of the day.
        marts: The marts that have the day in this state; empty while nothing is published.
        is_everywhere: Whether these are all marts.
    """

    day: date
    state: State
    why: str
    since: datetime | None
    is_published: bool
    marts: frozenset[str]
    is_everywhere: bool


_STATES: Final = """
select metric_date, state, array_to_string(reasons, ', '), min(since), is_published,
    coalesce(array_agg(mart order by mart) filter (where mart is not null), '{}'),
    count(mart) >= (select count(*) from ops.published_marts)
from marts.stale_days
where state = any(%(states)s) and (state <> 'late' or metric_date < %(due)s)
group by metric_date, state, reasons, is_published
order by metric_date, state, reasons
"""


def due_before(now: datetime, deadline: time) -> date:
    """Return the day before which every day should be published: each is due at the deadline (UTC) of the next day."""
    return (now - timedelta(hours=deadline.hour, minutes=deadline.minute)).date()


def states(connection: psycopg.Connection, *, due_before: date) -> list[DayState]:
    """Return the days that are not current, oldest first. A day from `due_before` on is not late yet."""
    rows = connection.execute(_STATES, {"states": [str(state) for state in State], "due": due_before}).fetchall()
    return [
        DayState(day, State(state), why, since, is_published, frozenset(marts), is_everywhere)
        for day, state, why, since, is_published, marts, is_everywhere in rows
    ]


def of_mart(states: Sequence[DayState], mart: str) -> list[DayState]:
    """Return the states that concern a mart."""
    return [state for state in states if state.is_everywhere or mart in state.marts]


def in_words(states: Sequence[DayState]) -> str:
    """Return the last state and the number of the others in a line: `2026-10-03 is stale (events_changed)`."""
    if not states:
        return ""
    last = states[-1]
    more = len({state.day for state in states}) - 1
    others = f"; {more} other {'day is' if more == 1 else 'days are'} not current either" if more else ""
    return f"{last.day} is {last.state} ({last.why}){others}"


def table(states: Sequence[DayState]) -> str:
    """Return the states as a table of Markdown, the latest day first; days in a row with one reason are one line."""
    rows = [
        f"| {first.day if first is last else f'{first.day} to {last.day}'} | {first.state} | {first.why}"
        f" | {f'{first.since:%Y-%m-%d %H:%M} UTC' if first.since else ''} | {_marts(first)}"
        f" | {'older numbers' if first.is_published else 'nothing'} |"
        for first, last in reversed(list(_stretches(states)))
    ]
    more = ["", f"{len(rows) - _ROWS_SHOWN} more: `select * from marts.stale_days`"] if len(rows) > _ROWS_SHOWN else []
    header = ["| day | state | why | since | marts | readers see |", "|---|---|---|---|---|---|"]
    return "\n".join([*header, *rows[:_ROWS_SHOWN], *more])


def counts(states: Sequence[DayState]) -> dict[str, int]:
    """Return the number of days in each state that has some, by names such as `days_stale`."""
    found = {f"days_{state}": len({day.day for day in states if day.state is state}) for state in State}
    return {name: days for name, days in found.items() if days}


def _marts(state: DayState) -> str:
    if state.is_everywhere:
        return "all"
    names = sorted(state.marts)
    more = f" and {len(names) - _MARTS_SHOWN} more" if len(names) > _MARTS_SHOWN else ""
    return ", ".join(names[:_MARTS_SHOWN]) + more


def _stretches(states: Sequence[DayState]) -> Iterator[tuple[DayState, DayState]]:
    """Yield the first and last of days in a row that are the same but for their moments."""
    first = last = None
    for state in states:
        if first is None or last is None or state.day - last.day != ONE_DAY or _kind(state) != _kind(first):
            if first and last:
                yield first, last
            first = state
        last = state
    if first and last:
        yield first, last


def _kind(state: DayState) -> tuple[object, ...]:
    return state.state, state.why, state.is_published, state.marts
