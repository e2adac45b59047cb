"""The gate between build and marts: the numbers agree with raw and with each other, or BI keeps the last ones."""

from collections.abc import Iterator
from typing import Final

import dagster as dg

from orchestration import gates
from orchestration.defs.resources import WarehouseResource
from orchestration.partitions import window_of

DAILY_METRICS: Final = dg.AssetKey(["build", "daily_metrics"])
BY_CHANNEL: Final = dg.AssetKey(["build", "daily_metrics_by_channel"])

_CHECKS: Final = {
    "daily_metrics_match_raw_events": (
        DAILY_METRICS,
        "Counts, cents and seconds of every day are those of raw, counted apart from dbt.",
    ),
    "unique_visitors_stay_within_events": (
        DAILY_METRICS,
        "A group has a visitor at the least, and no more of them than events.",
    ),
    "daily_metrics": (DAILY_METRICS, "The expectation suite daily_metrics."),
    "channels_add_up_to_daily_metrics": (
        BY_CHANNEL,
        "Summed over channel, source, medium and campaign, every additive column is that of daily_metrics.",
    ),
    "daily_metrics_by_channel": (BY_CHANNEL, "The expectation suite daily_metrics_by_channel."),
}


@dg.multi_asset_check(
    specs=[
        dg.AssetCheckSpec(name, asset=asset, blocking=True, description=description)
        for name, (asset, description) in _CHECKS.items()
    ]
)
def build_checks(context: dg.AssetCheckExecutionContext, warehouse: WarehouseResource) -> Iterator[dg.AssetCheckResult]:
    """Judge the days of the run as they are in schema build now."""
    with warehouse.connect() as connection:
        outcomes = gates.judge(
            connection,
            window_of(context),
            build_id=context.run.run_id,
            checks=gates.BUILD_CHECKS,
            suites=gates.BUILD_SUITES,
            sqlalchemy_url=warehouse.located().sqlalchemy_url,
        )
    yield from gates.results(outcomes, {name: asset for name, (asset, _) in _CHECKS.items()})
