"""Fits of weeks in the course of runs: the days of a fit, and its repetition when that changes."""

from datetime import date
from typing import Any

from tests.support.pipeline import Pipeline
from warehouse.window import ONE_DAY, Window

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


def test_a_refit_that_comes_out_the_same_makes_no_day_stale(pipeline: Pipeline) -> None:
    land(pipeline)
    pipeline.run(RANGE)
    fitted = "select build_id from ops.attribution_fits where week_start = %s"
    before = pipeline.rows(fitted, MONDAY)

    # Another campaign of the same channel begins the session.
    earlier = event(SATURDAY, "earlier", anonymousId="device of a", occurredAt=f"{SATURDAY}T09:50:00Z")
    late = [earlier | {"attribution": {"utmMedium": "email", "utmCampaign": "autumn"}}]
    pipeline.land(SATURDAY, late, name="late.ndjson")
    pipeline.load(Window.day(SATURDAY))
    assert pipeline.catch_up() == [Window.day(SATURDAY)]
    assert pipeline.rows(fitted, MONDAY) != before, "it was fitted again"
    caught_up = pipeline.contents()

    pipeline.wipe()
    land(pipeline)
    pipeline.land(SATURDAY, late, name="late.ndjson")
    pipeline.run(RANGE)
    assert pipeline.contents() == caught_up


def test_a_refit_that_comes_out_otherwise_makes_all_days_of_its_week_stale_with_it(pipeline: Pipeline) -> None:
    land(pipeline)
    pipeline.run(RANGE)
    pipeline.land(TUESDAY, [conversion(SUNDAY, "late")], name="late.ndjson")
    pipeline.load(Window.day(TUESDAY))
    pipeline.run(Window.day(SUNDAY), load=False)
    marked = "select event_date from ops.stale_day_marks where reason = 'attribution_refitted' order by 1"
    assert pipeline.rows(marked) == [(MONDAY,), (TUESDAY,)]
    assert pipeline.rows("select count(*) from ops.attribution_fits where is_outdated") == [(0,)]
