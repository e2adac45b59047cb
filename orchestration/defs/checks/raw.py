"""The gate between raw and dbt: what was loaded adds up and keeps the contract, or nothing is built from it."""

from collections.abc import Iterator
from typing import Final

import dagster as dg

from orchestration import asset_checks, retries
from orchestration.defs.resources import WarehouseResource
from orchestration.run_windows import window_of
from publishing import gates
from quality_checks.results import failing_days

_CHECKS: Final = (*gates.RAW_CHECKS, *gates.RAW_WARNINGS)
_SPECS: Final = asset_checks.check_specs(dg.AssetKey(["raw", "events"]), checks=_CHECKS, suites=gates.RAW_SUITES)


# A run of some assets has some of the checks.
@dg.multi_asset_check(specs=_SPECS, can_subset=True, retry_policy=retries.RETRIES)
def raw_events_checks(
    context: dg.AssetCheckExecutionContext, warehouse: WarehouseResource
) -> Iterator[dg.AssetCheckResult]:
    """Judge the event days of the run as they are in raw now."""
    with retries.as_dagster_failure(), warehouse.connect() as connection:
        outcomes = gates.run_checks(
            connection,
            window_of(context),
            build_id=context.run.run_id,
            checks=_CHECKS,
            suites=gates.RAW_SUITES,
            sqlalchemy_url=warehouse.located().sqlalchemy_url,
        )
        failing = failing_days(connection, outside=window_of(context))
    yield from asset_checks.results(outcomes, context.selected_asset_check_keys, failing)
