"""Assessments on days: against the same weekday of earlier weeks, with growth, holidays and anomalies among them."""

from collections.abc import Callable, Iterable
from datetime import date, timedelta

import pandas as pd
import pytest

from quality_checks.anomalies.assessments import assessments_on
from quality_checks.anomalies.counts import KEYS
from quality_checks.anomalies.measures import ALL_SOURCES, LOOKBACK_WEEKS, MEASURES, Measure, State

LAST = date(2026, 10, 7)
EVENTS, DIRECT, REVENUE = (
    next(measure for measure in MEASURES if measure.name == name)
    for name in ("events", "direct_share", "typical_revenue")
)
NOTHING = dict.fromkeys(
    (
        "events", "active_hours", "delayed_events", "sessions", "direct_sessions", "unassigned_sessions", "conversions",
        "repeated_conversions", "revenue_cents", "revenue_events", "revenue_logs",
    ),
    0,
)  # fmt: skip


def before(weeks: int) -> date:
    return LAST - timedelta(weeks=weeks)


def counts(days: Iterable[date], source: str = "web", **columns: Callable[[date], float]) -> pd.DataFrame:
    """Counts of one source, as functions of the day."""
    rows = [
        {"day": day, "event_source": source, **NOTHING, **{name: of(day) for name, of in columns.items()}}
        for day in days
    ]
    return pd.DataFrame(rows).set_index(KEYS)


def history(weeks: int, **columns: Callable[[date], float]) -> pd.DataFrame:
    return counts((before(0) - timedelta(days=number) for number in range(7 * weeks + 1)), **columns)


def state(found: pd.DataFrame, day: date = LAST, source: str = "web") -> str:
    [value] = found[(found["day"] == day) & (found["event_source"] == source)]["state"]
    return str(value)


def assessed(counts: pd.DataFrame, measure: Measure = EVENTS, *holidays: date) -> str:
    return state(assessments_on(counts, measure, [LAST], holidays))


def thousand(_: date) -> float:
    return 1_000.0


def changed_on(day: date, events: float) -> Callable[[date], float]:
    return lambda of: events if of == day else 1_000.0


@pytest.mark.parametrize(
    ("events", "expected"),
    [(1_000, State.USUAL), (900, State.USUAL), (400, State.UNUSUAL), (0, State.EXTREME), (9_000, State.EXTREME)],
)
def test_a_day_is_held_against_its_weekday(events: float, expected: State) -> None:
    assert assessed(history(8, events=changed_on(LAST, events))) == expected


def test_a_weekday_is_held_against_itself_alone() -> None:
    def events(day: date) -> float:
        return 400.0 if day.weekday() == LAST.weekday() else 2_000.0

    assert assessed(history(8, events=events)) == State.USUAL


def test_growth_is_learned() -> None:
    def events(day: date) -> float:
        return 1_000 * 1.15 ** ((day - before(16)).days / 7)

    found = assessments_on(history(16, events=events), EVENTS, [LAST])
    [row] = found[found["event_source"] == "web"].to_dict("records")
    assert row["expected"] == pytest.approx(events(LAST), rel=0.01)
    # Without growth on the last day the number is too low, as it would be high enough eight weeks before.
    assert assessed(history(16, events=lambda day: events(before(6)) if day == LAST else events(day))) == State.UNUSUAL


@pytest.mark.parametrize(("weeks", "expected"), [(3, State.SILENT), (4, State.UNUSUAL), (7, State.UNUSUAL)])
def test_fewer_weeks_warn_or_are_silent_and_never_block(weeks: int, expected: State) -> None:
    assert assessed(history(weeks, events=changed_on(LAST, 0))) == expected


def test_anomalies_are_left_out_of_the_baseline() -> None:
    noisy = {before(week): 1_000 + 30 * (-1) ** week for week in range(1, 17)}
    usual = history(16, events=lambda day: noisy.get(day, 1_000))
    with_anomalies = history(16, events=lambda day: 10_000 if day in {before(1), before(3)} else noisy.get(day, 1_000))
    found = assessments_on(with_anomalies, EVENTS, [LAST])
    [row] = found[found["event_source"] == "web"].to_dict("records")
    assert row["baseline_weeks"] == 6
    assert row["expected"] == pytest.approx(1_000, rel=0.05)
    assert assessed(usual) == assessed(with_anomalies) == State.USUAL


def test_holidays_are_neither_assessed_nor_compared_with() -> None:
    quiet = history(8, events=changed_on(before(2), 100))
    [row] = assessments_on(quiet, EVENTS, [LAST], [before(2)]).query("event_source == 'web'").to_dict("records")
    assert row["baseline_weeks"] == 7
    assert assessed(history(8, events=changed_on(LAST, 0)), EVENTS, LAST) == State.SILENT


def test_a_day_without_any_row_is_unknown_and_not_zero() -> None:
    known = history(8, events=thousand).drop(before(3), level="day")
    [row] = assessments_on(known, EVENTS, [LAST]).query("event_source == 'web'").to_dict("records")
    assert (row["baseline_weeks"], row["state"]) == (7, State.USUAL)


def test_a_source_that_falls_silent_is_seen_and_so_is_the_total() -> None:
    days = [LAST - timedelta(days=number) for number in range(57)]
    web = counts(days, events=changed_on(LAST, 0))
    mobile = counts(days, "mobile", events=thousand)
    found = assessments_on(pd.concat([web, mobile]), EVENTS, [LAST])
    assert (state(found), state(found, source="mobile")) == (State.EXTREME, State.USUAL)
    assert state(found, source=ALL_SOURCES) == State.UNUSUAL


def test_a_source_with_few_cases_is_not_assessed() -> None:
    assert assessed(history(8, events=lambda day: 0 if day == LAST else 20.0)) == State.SILENT


@pytest.mark.parametrize(("direct", "expected"), [(300, State.USUAL), (330, State.USUAL), (600, State.UNUSUAL)])
def test_shares_are_held_against_their_weekday(direct: float, expected: State) -> None:
    found = history(8, sessions=thousand, direct_sessions=lambda day: direct if day == LAST else 300.0)
    assert assessed(found, DIRECT) == expected


def test_dollars_for_cents_on_half_of_the_events_are_seen() -> None:
    cents, dollars = 10.8, 10.8 - 4.6

    def logs(day: date) -> float:
        return 10 * cents + 10 * (dollars if day == LAST else cents)

    assert assessed(history(8, revenue_events=lambda _: 20.0, revenue_logs=logs), REVENUE) == State.UNUSUAL


def test_the_assessment_follows_from_sixteen_weeks_whatever_else_is_assessed() -> None:
    def events(day: date) -> float:
        return 1_000.0 + (day.toordinal() * 7919) % 400

    whole = history(40, events=events)
    days = [LAST - timedelta(days=number) for number in range(10)]
    together = assessments_on(whole, EVENTS, days).query("event_source == 'web'").set_index("day")
    for day in reversed(days):
        first = day - timedelta(weeks=LOOKBACK_WEEKS)
        recent = whole[whole.index.get_level_values("day") >= first]
        [alone] = assessments_on(recent, EVENTS, [day]).query("event_source == 'web'").to_dict("records")
        assert alone["score"] == pytest.approx(together.loc[day, "score"])
        assert alone["state"] == together.loc[day, "state"]
