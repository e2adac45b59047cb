"""Retention over plans and over many nights: sealed days keep their numbers, and the others come out as without it."""

from pathlib import Path

import pytest

from ingestion.application.source import connect_application
from publishing import change_plan, dbt_manifest
from tests.integration.publishing.edited_projects import RETYPED, Projects, both, edited
from tests.integration.publishing.sealed_history import (
    FIRST_UNSEALED,
    UNSEALED,
    apply,
    changed,
    event,
    publish_history,
    published,
)
from tests.integration.publishing.three_days import stale
from tests.support.pipeline import Pipeline
from tests.support.plans import swap_marts
from warehouse.window import ONE_DAY, Window

# Changes nothing about the rows, and is above nearly every mart.
SAME_ROWS = edited("int_events_attributed.sql", "where not is_next_day_part", "where not is_next_day_part and true")
# Tables of these are made anew; the second model reads its own.
ANOTHER_TYPE = both(
    edited("int_sessions.sql", "count(*) as events,", "cast(count(*) as integer) as events,"),
    edited(
        "int_events_sessionized.sql",
        "    described.fee_cents,",
        "    cast(described.fee_cents as numeric) as fee_cents,",
    ),
)


@pytest.mark.long
def test_a_swap_leaves_sealed_days_weeks_and_months_as_they_are(
    pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_history(pipeline)
    monkeypatch.setattr(dbt_manifest, "project_version", lambda: pipeline.version)
    projects = Projects(pipeline, tmp_path)
    before = published(pipeline)
    funnel = "select metric_date, step_number, visitors::bigint from marts.funnel_daily order by 1, 2"
    steps = pipeline.rows(funnel)
    apply(pipeline)

    projects.load(SAME_ROWS, ANOTHER_TYPE, RETYPED)
    assert change_plan.apply(pipeline.connection, pipeline.version)
    assert set(stale(pipeline)) == set(UNSEALED.days())
    pipeline.catch_up()
    swap_marts(pipeline)
    after = published(pipeline)
    del before["marts.funnel_daily"], after["marts.funnel_daily"]
    assert changed(before, after) == {}
    assert pipeline.rows(funnel) == [
        (day, step, visitors if day < FIRST_UNSEALED else 2 * visitors) for day, step, visitors in steps
    ]
    mixed = "select mixed_since from ops.applied_models where model = 'funnel_daily'"
    assert pipeline.rows(mixed) == [(FIRST_UNSEALED,)]
    assert stale(pipeline) == {}

    # Nights go on, and the rows that came back to schema build go again.
    pipeline.run(UNSEALED, load=False)
    assert changed(before, {name: rows for name, rows in published(pipeline).items() if name in before}) == {}
    assert {name for name in apply(pipeline).rows if not name.startswith("build.")} == set()


# From the middle of a month over its end, with retention after each run, a week and a half behind it.
LATER = Window(FIRST_UNSEALED + 4 * ONE_DAY, FIRST_UNSEALED + 16 * ONE_DAY)
BEHIND = 10 * ONE_DAY


def night_by_night(pipeline: Pipeline, *, with_retention: bool) -> dict[str, list[tuple[str, ...]]]:
    """Run pairs of days whose visitors were here before, also long ago; correct the days before each time."""
    publish_history(pipeline)
    for number, night in enumerate(LATER.chunks(2)):
        for day in night.days():
            guests = [{"anonymousId": f"guest-{(number + more) % 10}"} for more in (0, 3)]
            phone = {"anonymousId": "phone"} | ({"actorId": "ana"} if number % 2 else {})
            lines = [event(day, time, {"anonymousId": "night owl"}) for time in ("00:04:00", "23:55:00")]
            lines += [event(day, "12:00:00", who) for who in (*guests, phone)]
            lines.append(event(day, "13:00:00", {"actorId": "ana"}, "license_created", props={"revenueCents": number}))
            pipeline.land(day, lines)
        # The file of the day before lost its visitors of long ago.
        pipeline.land(night.start - ONE_DAY, [event(night.start - ONE_DAY, "08:00:00", {"anonymousId": "newcomer"})])
        pipeline.load(Window(night.start - ONE_DAY, night.end))
        pipeline.run(night)
        pipeline.catch_up()
        if with_retention:
            apply(pipeline, night.end - BEHIND)
    return published(pipeline)


@pytest.mark.long
def test_nights_with_retention_publish_what_nights_without_do(pipeline: Pipeline) -> None:
    with_retention = night_by_night(pipeline, with_retention=True)
    [(oldest,)] = pipeline.rows("select min(session_date) from intermediate.int_sessions")
    [(visits,)] = pipeline.rows("select count(*) from rollups.visitor_active_days")
    pipeline.wipe()
    assert pipeline.warehouse.application_url is not None
    with connect_application(pipeline.warehouse.application_url) as application:
        application.execute("truncate ip_assets")
        application.commit()
    without = night_by_night(pipeline, with_retention=False)
    assert changed(without, with_retention) == {}
    assert pipeline.rows("select min(session_date) < %s from intermediate.int_sessions", oldest) == [(True,)]
    assert pipeline.rows("select count(*) > %s from rollups.visitor_active_days", visits) == [(True,)]
