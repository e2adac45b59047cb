"""Checks of anomalies on a warehouse: warnings, days held back, days assessed again, lines of landing days."""

from datetime import date, timedelta
from typing import Any

import pytest

from ingestion import landing_measures
from publishing import gates
from quality_checks import anomaly_checks
from quality_checks.anomaly_checks import blocking_check, usual_check
from quality_checks.registry import RuleCheck
from tests.support.pipeline import START, GateClosed, Pipeline
from warehouse.window import ONE_DAY, Window

DAY = START + timedelta(weeks=9)
EVENT = {"eventType": "page_viewed", "source": "web"}
CHECKS = {check.name: check for check in anomaly_checks.CHECKS}


def land(pipeline: Pipeline, day: date, events: int, *, name: str = "part-0.ndjson") -> None:
    """Write a landing file with so many events of the day, in as many sessions."""
    lines = [
        EVENT | {"idempotencyKey": f"{name} {number}", "anonymousId": f"device {number}",
                 "occurredAt": f"{day}T{number % 24:02d}:30:00Z"}
        for number in range(events)
    ]  # fmt: skip
    pipeline.land(day, lines, name)


def write_history(pipeline: Pipeline, *, events: int, weeks: int = 8, last: date = DAY) -> None:
    """Write so many earlier weeks of the day's weekday, as builds have left them."""
    pipeline.connection.execute(
        "insert into build.event_source_days"
        " select %s::date - 7 * week, 'web', %s, 24, 0, %s, 0, 0, 0, 0, 0, 0, 0 from generate_series(1, %s) as week",
        [last, events, events, weeks],
    )


def outcomes(pipeline: Pipeline, window: Window, *names: str) -> dict[str, Any]:
    checks = [CHECKS[name] for name in names]
    found = gates.run_checks(pipeline.connection, window, build_id="a build", checks=checks)
    return {outcome.name: outcome for outcome in found}


@pytest.mark.models("event_source_days")
def test_a_day_far_beyond_its_weeks_is_held_back_and_nothing_is_published(pipeline: Pipeline) -> None:
    write_history(pipeline, events=600)
    land(pipeline, DAY, 120)
    with pytest.raises(GateClosed) as closed:
        pipeline.run(Window.day(DAY))
    assert {outcome.name for outcome in closed.value.outcomes} == {blocking_check("events"), blocking_check("sessions")}
    [first, *_] = closed.value.outcomes
    assert first.days == (DAY,)
    shown = {row["event_source"]: row for row in first.sample}
    assert shown["web"]["value"] == 120
    assert 300 < float(str(shown["web"]["low"])) < float(str(shown["web"]["expected"])) == pytest.approx(600, rel=0.01)
    assert pipeline.rows("select count(*) from rollups.event_source_days") == [(0,)]
    assert pipeline.rows("select count(*) from ops.published_days") == [(0,)]


@pytest.mark.models("event_source_days")
def test_seven_weeks_warn_and_do_not_hold_back(pipeline: Pipeline) -> None:
    write_history(pipeline, events=600, weeks=7)
    land(pipeline, DAY, 120)
    pipeline.run(Window.day(DAY))
    assert pipeline.rows("select metric_date, events from rollups.event_source_days") == [(DAY, 120)]
    warned = outcomes(pipeline, Window.day(DAY), usual_check("events"))[usual_check("events")]
    assert (warned.days, warned.blocks) == ((DAY,), False)
    assert warned.observed["value"] == 120


@pytest.mark.models("event_source_days", "daily_metrics", "daily_metrics_by_channel")
def test_measures_are_those_of_the_days_events(pipeline: Pipeline) -> None:
    purchase = {
        "eventType": "license_created", "entityType": "license", "entityId": "lic_1", "anonymousId": "device 1",
        "occurredAt": f"{DAY}T10:00:10Z", "props": {"revenueCents": 1000}, "source": "web",
    }  # fmt: skip
    pipeline.land(
        DAY,
        [
            EVENT | {"occurredAt": f"{DAY}T10:00:00Z", "anonymousId": "device 1", "idempotencyKey": "a"},
            purchase | {"idempotencyKey": "b"},
            purchase | {"idempotencyKey": "c"},
            EVENT | {"occurredAt": f"{DAY}T23:59:59Z", "anonymousId": "device 2", "idempotencyKey": "d",
                     "receivedAt": f"{DAY + ONE_DAY}T01:00:00Z",
                     "attribution": {"referrer": "https://www.google.com/"}},
            EVENT | {"occurredAt": f"{DAY}T12:00:00Z", "anonymousId": "device 3", "idempotencyKey": "e",
                     "context": {"userAgent": "Googlebot/2.1"}},
        ],
    )  # fmt: skip
    pipeline.run(Window.day(DAY))
    [row] = pipeline.rows(
        "select events, active_hours, sessions, direct_sessions, conversions, repeated_conversions, revenue_cents,"
        " revenue_events, round(exp(revenue_logs / revenue_events)) from build.event_source_days"
    )
    assert row == (4, 2, 2, 1, 2, 1, 2000, 2, 1000)


@pytest.mark.models("event_source_days")
def test_a_published_day_is_assessed_again_when_an_earlier_week_changes(pipeline: Pipeline) -> None:
    write_history(pipeline, events=600, weeks=7)
    # Seven usual weeks would make the day unusual; of four of them nothing is known yet.
    pipeline.connection.execute(
        "delete from build.event_source_days where metric_date >= %s", [DAY - timedelta(weeks=4)]
    )
    land(pipeline, DAY, 120)
    pipeline.run(Window.day(DAY))
    failing = "select failing_days from ops.check_states where check_name = %s"
    assert outcomes(pipeline, Window.day(DAY), usual_check("events"))[usual_check("events")].passed

    for weeks in (4, 3, 2, 1):
        earlier = DAY - timedelta(weeks=weeks)
        land(pipeline, earlier, 600)
        pipeline.run(Window.day(earlier))
        outcomes(pipeline, Window.day(earlier), usual_check("events"))
    assert pipeline.rows(failing, usual_check("events")) == [([DAY],)]
    # The day stays published.
    assert (DAY,) in pipeline.rows("select event_date from ops.published_days")


def test_lines_of_a_landing_day_are_counted_by_source_and_outcome(pipeline: Pipeline) -> None:
    late = {"occurredAt": "2026-10-03T10:00:00Z"}
    day = date(2026, 10, 7)
    at = {"occurredAt": "2026-10-07T10:00:00Z"}
    pipeline.land(
        day,
        [
            EVENT | at | {"idempotencyKey": "a"},
            EVENT | at | {"idempotencyKey": "a"},
            EVENT | late | {"idempotencyKey": "b"},
            # Source web is the default.
            {"eventType": "page_viewed", "occurredAt": "yesterday"},
            {"eventType": "job_completed", "source": "system", "occurredAt": "yesterday"},
            {"eventType": "job_completed", "source": "fax", **at},
            '{"eventType": "page_viewed", "source": "api", "props": {"title": "a\\u0000b \\ud800"}, "occurredAt": 1}',
            "no JSON",
        ],
    )
    pipeline.load(Window.day(day))
    assert landing_measures.refresh(pipeline.connection) == [day]
    query = (
        "select event_source, accepted, late, duplicates, rejected from ops.landing_measures"
        " where landing_date = %s order by 1"
    )
    expected = [("api", 0, 0, 0, 1), ("system", 0, 0, 0, 1), ("unknown", 0, 0, 0, 2), ("web", 2, 1, 1, 1)]
    assert pipeline.rows(query, day) == expected
    assert landing_measures.refresh(pipeline.connection) == []

    pipeline.land(day, [EVENT | at | {"idempotencyKey": "a"}])
    pipeline.load(Window.day(day))
    assert landing_measures.refresh(pipeline.connection) == [day]
    assert pipeline.rows(query, day) == [("web", 1, 0, 0, 0)]


def test_landing_measures_add_up_to_the_ledger(pipeline: Pipeline) -> None:
    for number in range(3):
        day = date(2026, 10, 5 + number)
        lines = [EVENT | {"idempotencyKey": "k", "occurredAt": "2026-10-05T10:00:00Z"}, "no JSON", EVENT]
        pipeline.land(day, lines)
        pipeline.load(Window.day(day))
    landing_measures.refresh(pipeline.connection)
    sums = "sum(accepted)::int, sum(late)::int, sum(duplicates)::int, sum(rejected)::int"
    ledger = f"select landing_date, {sums} from ops.loads where replaced_by is null group by 1 order by 1"
    counted = f"select landing_date, {sums} from ops.landing_measures group by 1 order by 1"
    assert pipeline.rows(counted) == pipeline.rows(ledger)
    assert len(pipeline.rows(counted)) == 3


def test_each_blocking_check_has_a_warning_beside_it() -> None:
    blocking = {name for name, check in CHECKS.items() if check.is_blocking}
    assert blocking == {
        blocking_check(m) for m in ("events", "sessions", "conversions", "revenue", "revenue_per_conversion")
    }
    assert all(isinstance(check, RuleCheck) and check.description for check in CHECKS.values())


@pytest.mark.parametrize("order", ["oldest first", "newest first", "mixed"])
def test_days_in_any_order_end_with_the_same_results(pipeline: Pipeline, order: str) -> None:
    events = {DAY - timedelta(weeks=week): 600 + 11 * (week % 3) for week in range(12)}
    events |= {DAY - timedelta(weeks=2): 120, DAY - timedelta(weeks=6): 3_000, DAY: 90}
    days = sorted(events)
    if order == "newest first":
        days.reverse()
    elif order == "mixed":
        days = days[1::2] + days[::2]
    pipeline.connection.execute("create schema if not exists build; create schema if not exists rollups")
    columns = (
        "metric_date date, event_source text, events bigint, active_hours bigint, delayed_events bigint,"
        " sessions bigint, direct_sessions bigint, unassigned_sessions bigint, conversions bigint,"
        " repeated_conversions bigint, revenue_cents bigint, revenue_events bigint, revenue_logs numeric"
    )
    pipeline.connection.execute(f"create table if not exists build.event_source_days ({columns})")  # type: ignore[call-overload]
    name = usual_check("events")
    for day in days:
        pipeline.connection.execute(
            "insert into build.event_source_days values (%s, 'web', %s, 24, 0, 100, 0, 0, 0, 0, 0, 0, 0)",
            [day, events[day]],
        )
        pipeline.connection.execute("insert into ops.published_days values (%s, 'a build', 'a run', 0, '')", [day])
        gates.run_checks(pipeline.connection, Window.day(day), build_id=f"build {day}", checks=[CHECKS[name]])
    failing = pipeline.rows("select failing_days from ops.check_states where check_name = %s", name)
    assert failing == [([DAY - timedelta(weeks=6), DAY - timedelta(weeks=2), DAY],)]
