"""Asset checks of the gate between raw and dbt: nothing is built from raw that does not add up."""

from collections.abc import Iterator

import dagster as dg

from orchestration import asset_checks, retries
from orchestration.defs.resources import WarehouseResource
from publishing import gates


# A run of some assets has some of the checks.
@dg.multi_asset_check(specs=asset_checks.specs(gates.RAW_CHECKS), can_subset=True, retry_policy=retries.RETRIES)
def raw_events_checks(
    context: dg.AssetCheckExecutionContext, warehouse: WarehouseResource
) -> Iterator[dg.AssetCheckResult]:
    """Check the event days of the run as they are in raw now."""
    yield from asset_checks.run(context, warehouse, gates.RAW_CHECKS)
