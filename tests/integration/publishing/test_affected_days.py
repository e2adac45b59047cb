"""Rows outside a run's days: untouched, unless a correction or deletion affects them."""

from typing import Any

import pytest

from tests.integration.publishing.test_incremental_equals_rebuild import (
    WINDOW,
    create_licenses,
    random_files,
    rebuild_from_nothing,
)
from tests.support.pipeline import START, Pipeline
from warehouse.window import ONE_DAY, Window


@pytest.mark.slow
@pytest.mark.models
def test_a_corrected_license_reaches_the_days_that_named_it(pipeline: Pipeline) -> None:
    files = random_files(3)
    create_licenses(pipeline, asset_of="asset-1")
    rebuild_from_nothing(pipeline, files)
    before = pipeline.contents(["marts"])

    create_licenses(pipeline, asset_of="asset-2")
    pipeline.read_application(START)
    assert pipeline.catch_up(), "days that name a corrected license are stale"

    after = pipeline.contents(["marts"])
    assert before != after
    pipeline.run(WINDOW)
    assert pipeline.contents(["marts"]) == after


@pytest.mark.models
def test_a_window_leaves_the_days_around_it_as_they_are(pipeline: Pipeline) -> None:
    files = random_files(4)
    create_licenses(pipeline, asset_of="asset-1")
    rebuild_from_nothing(pipeline, files)
    inside = Window(START + 2 * ONE_DAY, START + 4 * ONE_DAY)

    def physical_rows() -> list[tuple[Any, ...]]:
        # ctid and xmin tell a row that was written again from one that was left alone.
        return [
            row
            for table, column in (
                ("build.daily_metrics", "metric_date"),
                ("marts.daily_metrics", "metric_date"),
                ("marts.daily_metrics_by_channel", "metric_date"),
                ("intermediate.int_events_sessionized", "written_with_date"),
            )
            for row in pipeline.rows(
                f"select ctid::text, xmin::text, t::text from {table} as t where not ({column} >= %s and {column} < %s)"
                " order by ctid",
                inside.start,
                inside.end,
            )
        ]

    before = physical_rows()
    pipeline.run(inside)
    assert physical_rows() == before


@pytest.mark.models
def test_an_event_that_is_deleted_is_gone_from_every_table(pipeline: Pipeline) -> None:
    view = {"eventType": "asset_viewed", "ipAssetId": "asset-0", "anonymousId": "device-0"}
    days = list(WINDOW.days())
    for day in days[:2]:
        pipeline.land(day, [view | {"occurredAt": f"{day}T10:00:00Z", "idempotencyKey": f"on {day}"}])
    create_licenses(pipeline, asset_of="asset-1")
    pipeline.read_application(START)
    pipeline.run(Window(days[0], days[2]))
    query = "select metric_date, views from marts.daily_metrics order by metric_date"
    assert pipeline.rows(query) == [(days[0], 1), (days[1], 1)]

    pipeline.land(days[0], [])
    pipeline.load(Window.day(days[0]))
    pipeline.catch_up()

    # The day has become empty and the day after it is as it was.
    assert pipeline.rows(query) == [(days[1], 1)]
    for table, column in (
        ("raw.events", "event_date"),
        ("raw.attribution", "event_date"),
        ("intermediate.int_events_sessionized", "written_with_date"),
        ("intermediate.int_identity_observations", "event_date"),
        ("build.daily_metrics", "metric_date"),
        ("build.daily_metrics_by_channel", "metric_date"),
        ("marts.daily_metrics_by_channel", "metric_date"),
    ):
        assert pipeline.rows(f"select count(*) from {table} where {column} = %s", days[0]) == [(0,)], table
