"""When weeks are fitted in the course of runs: what a fit has seen, and what becomes of it when that changes."""

from datetime import date, timedelta
from typing import Any

import pytest

from ingestion.window import ONE_DAY, Window
from tests.dagster_runs import DagsterRuns
from tests.pipeline import Pipeline

MONDAY = date(2026, 10, 5)
TUESDAY, SUNDAY, SATURDAY = MONDAY + ONE_DAY, MONDAY - ONE_DAY, MONDAY - 2 * ONE_DAY
RANGE = Window(SATURDAY, TUESDAY + ONE_DAY)


def event(day: date, key: str, **more: Any) -> dict[str, Any]:
    return {
        "eventType": "asset_viewed",
        "occurredAt": f"{day}T10:00:00Z",
        "idempotencyKey": key,
        "anonymousId": f"device of {key}",
        "ipAssetId": "asset-0",
        **more,
    }


def conversion(day: date, key: str, **more: Any) -> dict[str, Any]:
    return event(day, key, eventType="license_created", attribution={"utmMedium": "email"}, **more)


def land(pipeline: Pipeline) -> None:
    pipeline.land(SATURDAY, [conversion(SATURDAY, "a"), event(SATURDAY, "b")])
    pipeline.land(SUNDAY, [event(SUNDAY, "c")])
    pipeline.land(MONDAY, [conversion(MONDAY, "d")])
    pipeline.land(TUESDAY, [conversion(TUESDAY, "e"), event(TUESDAY, "f")])


def fits(pipeline: Pipeline) -> dict[date, tuple[int, int]]:
    rows = pipeline.rows("select week_start, journeys, converting_journeys from ops.attribution_fits order by 1")
    return {week: (journeys, converting) for week, journeys, converting in rows}


def test_a_range_of_two_weeks_is_fitted_after_its_sessions_and_before_its_credits(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = DagsterRuns(pipeline, monkeypatch)
    land(pipeline)
    run = runs.run(RANGE)

    assert run.is_success, run.error
    assert run.log.count("Running dbt command") == 2
    assert fits(pipeline) == {MONDAY - timedelta(days=7): (0, 0), MONDAY: (3, 1)}
    made = [
        event.step_materialization_data.materialization.asset_key.path[-1]
        for event in run.events
        if event.is_step_materialization and event.step_key == "dbt_models"
    ]
    places = [
        made.index(name) for name in ("int_conversion_paths", "attribution_channel_values", "attribution_credits")
    ]
    assert places == sorted(places)

    alone = runs.run(RANGE, assets=["intermediate/attribution_channel_values"])
    assert alone.is_success, alone.error


def test_a_week_is_fitted_anew_when_a_day_changes_that_it_has_seen(pipeline: Pipeline) -> None:
    land(pipeline)
    pipeline.run(RANGE)
    assert fits(pipeline)[MONDAY] == (3, 1)

    pipeline.land(TUESDAY, [conversion(SUNDAY, "late")], name="late.ndjson")
    pipeline.load(Window.day(TUESDAY))
    rerun = pipeline.catch_up()
    assert fits(pipeline)[MONDAY] == (4, 2)
    assert {day for window in rerun for day in window.days()} >= {SUNDAY, MONDAY, TUESDAY}
    caught_up = pipeline.contents()

    pipeline.wipe()
    land(pipeline)
    pipeline.land(TUESDAY, [conversion(SUNDAY, "late")], name="late.ndjson")
    pipeline.run(RANGE)
    assert pipeline.contents() == caught_up
