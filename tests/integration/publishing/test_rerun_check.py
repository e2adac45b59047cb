"""A warehouse notices when incremental is not a rebuild: days are built again after something was made different."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from publishing import rerun_check
from quality_checks.outcome import CheckOutcome
from tests.support.pipeline import START, Pipeline
from warehouse.window import ONE_DAY, Window
from warehouse.writer_lock import writing

HISTORY = Window(START, START + timedelta(days=3))
SECOND = START + ONE_DAY


def events(offset: int) -> list[dict[str, Any]]:
    at = f"{START + offset * ONE_DAY}T10:0"
    visit = {"anonymousId": f"device-{offset % 2}", "ipAssetId": "asset-0", "attribution": {"utmSource": "news"}}
    sale = {"eventType": "license_created", "actorId": "ana", "props": {"revenueCents": 100}}
    return [
        {"eventType": "asset_viewed", "occurredAt": f"{at}0:00Z", **visit},
        {"eventType": "asset_downloaded", "occurredAt": f"{at}1:00Z", **visit, "actorId": "ana"},
        {"occurredAt": f"{at}2:00Z", "licenseId": f"license-{offset}", "ipAssetId": "asset-0", **sale},
    ]


def built_again(pipeline: Pipeline, window: Window) -> CheckOutcome:
    """Build the window, and what the check says of it; nothing is published."""
    with pipeline.warehouse.connect(autocommit=True) as lock, writing(lock, str(uuid4()), log=print):
        pipeline.build(window, pipeline.rows("select build_id from ops.writer")[0][0])
        return rerun_check.rerun_is_idempotent(pipeline.connection, window)


@pytest.fixture
def published(pipeline: Pipeline) -> Pipeline:
    pipeline.data_tests = False
    for offset, day in enumerate(HISTORY.days()):
        pipeline.land(day, events(offset))
        pipeline.run(Window.day(day))
    pipeline.catch_up()
    return pipeline


def test_days_that_come_out_as_they_are_published_pass(published: Pipeline) -> None:
    outcome = built_again(published, HISTORY)
    assert outcome.passed
    assert outcome.observed["compared_marts"] > 30  # type: ignore[operator]
    assert (outcome.observed["rows_published"], outcome.observed["rows_built"]) == (0, 0)


def test_a_number_that_is_published_otherwise_is_told_with_its_mart_and_day(published: Pipeline) -> None:
    published.connection.execute(
        "update marts.daily_metrics set views = 2 where views = 1 and metric_date = %s", [SECOND]
    )
    published.connection.execute("delete from marts.weekly_metrics")
    outcome = built_again(published, HISTORY)
    assert not outcome.passed
    assert not outcome.blocks
    assert SECOND in outcome.days
    sides = {(row["mart"], row["side"]) for row in outcome.sample}
    assert sides == {("daily_metrics", "published"), ("daily_metrics", "built"), ("weekly_metrics", "built")}
    shown = {row["side"]: row["row"]["views"] for row in outcome.sample if row["mart"] == "daily_metrics"}  # type: ignore[index, call-overload]
    assert shown == {"published": 2, "built": 1}


def test_what_is_carried_on_is_compared_too(published: Pipeline) -> None:
    published.connection.execute("update rollups.visitor_asset_last_seen set last_date = last_date - 1")
    outcome = built_again(published, HISTORY)
    assert {row["mart"] for row in outcome.sample} == {"visitor_asset_last_seen"}


def test_what_has_changed_since_is_not_compared(published: Pipeline) -> None:
    published.connection.execute("update marts.daily_metrics set views = views + 1")
    published.land(SECOND, [events(0)[0] | {"occurredAt": f"{SECOND}T20:00:00Z"}], "late.ndjson")
    published.load(Window.day(SECOND))
    outcome = built_again(published, HISTORY)
    assert outcome.passed
    assert outcome.observed["compared_marts"] == 0


def test_a_day_that_was_never_published_is_not_compared(published: Pipeline) -> None:
    outcome = built_again(published, Window(SECOND, HISTORY.end + ONE_DAY))
    assert outcome.passed
    assert outcome.observed["compared_marts"] == 0
