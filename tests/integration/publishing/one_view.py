"""A day with one view, and its publication as a run does it."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from publishing import dbt_manifest, gates
from publishing.marts import Mart, marts_of
from publishing.publish import publish
from tests.support.pipeline import START, Pipeline
from warehouse.window import ONE_DAY, Window
from warehouse.writer_lock import writing

DAY = Window.day(START)


NEXT = Window.day(START + ONE_DAY)


BOTH = Window(DAY.start, NEXT.end)


def view(day: date, key: str, asset: str = "asset-0") -> dict[str, Any]:
    return {
        "eventType": "asset_viewed",
        "occurredAt": f"{day}T10:00:00Z",
        "idempotencyKey": key,
        "anonymousId": "device-0",
        "ipAssetId": asset,
    }


def views_in_marts(pipeline: Pipeline) -> list[tuple[Any, ...]]:
    return pipeline.rows("select metric_date, views from marts.daily_metrics order by 1")


def publish_as_a_run(pipeline: Pipeline, window: Window, *, marts: Sequence[Mart] | None = None) -> None:
    with pipeline.warehouse.connect(autocommit=True) as lock, writing(lock, "publisher", log=print):
        publish(
            pipeline.connection,
            marts=marts_of(dbt_manifest.manifest()) if marts is None else marts,
            window=window,
            run_id="publisher",
            raw_checks=pipeline.applicable(gates.RAW_GATE),
            build_checks=pipeline.applicable(gates.BUILD_GATE),
        )
