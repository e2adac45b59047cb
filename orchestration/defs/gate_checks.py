"""Asset checks of both gates: before dbt reads raw, and before marts are published."""

from collections.abc import Iterator
from functools import partial
from typing import Final

import dagster as dg

from orchestration import asset_checks, retries
from orchestration.defs.resources import WarehouseResource
from publishing import gates

# A run of some assets has some of the checks.
_gate: Final = partial(dg.multi_asset_check, can_subset=True, retry_policy=retries.RETRIES)


@_gate(specs=asset_checks.specs(gates.RAW_CHECKS))
def raw_events_checks(
    context: dg.AssetCheckExecutionContext, warehouse: WarehouseResource
) -> Iterator[dg.AssetCheckResult]:
    """Check the event days of the run as they are in raw now."""
    yield from asset_checks.run(context, warehouse, gates.RAW_CHECKS)


@_gate(specs=asset_checks.specs(gates.BUILD_CHECKS))
def build_checks(context: dg.AssetCheckExecutionContext, warehouse: WarehouseResource) -> Iterator[dg.AssetCheckResult]:
    """Check the days of the run as they are in schema build now."""
    yield from asset_checks.run(context, warehouse, gates.BUILD_CHECKS)
