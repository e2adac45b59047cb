"""Asset checks of the gate between build and marts: numbers agree with raw, or BI keeps the last ones."""

from collections.abc import Iterator

import dagster as dg

from orchestration import asset_checks, retries
from orchestration.defs.resources import WarehouseResource
from publishing import gates


# A run of some assets has some of the checks.
@dg.multi_asset_check(specs=asset_checks.specs(gates.BUILD_CHECKS), can_subset=True, retry_policy=retries.RETRIES)
def build_checks(context: dg.AssetCheckExecutionContext, warehouse: WarehouseResource) -> Iterator[dg.AssetCheckResult]:
    """Check the days of the run as they are in schema build now."""
    yield from asset_checks.run(context, warehouse, gates.BUILD_CHECKS)
