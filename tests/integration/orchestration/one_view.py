"""One day with a view, for tests of runs: its days, its events, and the views that BI reads."""

from datetime import date
from typing import Any

from tests.support.dagster_runs import DagsterRuns
from tests.support.pipeline import START
from warehouse.window import ONE_DAY, Window

DAY = Window.day(START)
SECOND, THIRD, FOURTH = (START + days * ONE_DAY for days in (1, 2, 3))
TWO_DAYS = Window(START, THIRD)
THREE_DAYS = Window(START, FOURTH)


def view(day: date, key: str, **more: Any) -> dict[str, Any]:
    return {
        "eventType": "asset_viewed",
        "occurredAt": f"{day}T10:00:00Z",
        "idempotencyKey": key,
        "anonymousId": "device-0",
        "ipAssetId": "asset-0",
        **more,
    }


def views(runs: DagsterRuns) -> dict[date, int]:
    return dict(runs.pipeline.rows("select metric_date, sum(views)::int from marts.daily_metrics group by 1"))
