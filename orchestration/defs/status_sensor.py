"""The asset ops/status, one page about the state of the warehouse, and the sensor that renews it."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import dagster as dg

from orchestration.defs.resources import WarehouseResource
from orchestration.marts import mart_specs, status_asset
from orchestration.partitions import table_spec
from publishing import dbt_manifest

warehouse_status = table_spec(
    status_asset.ASSET.path,
    "State of the warehouse on one page: is yesterday published, what is late, refused or stale and why, what was"
    " rejected, which checks warn. The latest observation has it. Each publication records it, and `status_sensor` when"
    " something has changed. `warehouse status` prints it.",
    kinds={"postgres"},
)


@dg.sensor(
    target=None,
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Renews the page of asset ops/status, and the checks days_are_current of the marts, when a day has"
    " become stale, refused, late or current.",
)
def status_sensor(
    context: dg.SensorEvaluationContext, warehouse: WarehouseResource
) -> Iterator[dg.SkipReason | dg.SensorResult]:
    """Record what has changed since the last tick."""
    with warehouse.connect() as connection:
        found = status_asset.read(connection, datetime.now(UTC))
    before = json.loads(context.cursor or "{}")
    keys = [spec.key for spec in mart_specs.check_specs(dbt_manifest.manifest())]
    results = {
        result.asset_key.to_user_string(): result
        for result in mart_specs.check_results(found.days, keys)
        if result.asset_key
    }
    marks = {asset: mart_specs.mark(result) for asset, result in results.items()}
    changed = [results[asset] for asset, mark in marks.items() if before.get("marts", {}).get(asset) != mark]
    is_news = before.get("page") != found.page
    if not changed and not is_news:
        yield dg.SkipReason(found.headline)
        return
    yield dg.SensorResult(
        skip_reason=found.headline,
        asset_events=[
            *([status_asset.observation(found)] if is_news else []),
            *(mart_specs.evaluation(result) for result in changed),
        ],
        cursor=json.dumps({"page": found.page, "marts": marks}),
    )
