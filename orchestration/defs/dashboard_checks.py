"""Asset checks of dashboards: after publication, as BI reads the marts. They warn, and fail no run."""

from collections.abc import Iterator

import dagster as dg

from orchestration import asset_checks, retries
from orchestration.defs.assets.dashboards import dashboard_assets
from orchestration.defs.resources import WarehouseResource
from orchestration.run_windows import unsealed_window_of
from publishing import gates
from quality_checks.outcome import CheckOutcome, finding_of_run
from quality_checks.registry import RuleCheck
from quality_checks.results import failing_days, record
from warehouse.connection import WarehouseUnavailable
from warehouse.window import Window

_MARTS = {found.key: [dep.asset_key for dep in found.deps] for found in dashboard_assets}


def _outcomes(warehouse: WarehouseResource, window: Window) -> list[CheckOutcome]:
    checks = [check for check in gates.DASHBOARD_CHECKS if isinstance(check, RuleCheck)]
    try:
        with warehouse.connect_as_bi_reader() as reader:
            return [check(reader, window) for check in checks]
    except WarehouseUnavailable as error:
        found = finding_of_run({}, [{"problem": str(error)}], window)
        values = (found.observed, found.days, found.sample, found.covers_all_days)
        return [CheckOutcome(*values, name=check.name, severity=check.severity) for check in checks]


@dg.multi_asset_check(
    specs=[
        # After publication, where a run has both.
        check._replace(additional_deps=[dg.AssetDep(mart) for mart in _MARTS[check.asset_key]])
        for check in asset_checks.specs(gates.DASHBOARD_CHECKS)
    ],
    can_subset=True,
    retry_policy=retries.RETRIES,
)
def dashboard_checks(
    context: dg.AssetCheckExecutionContext, warehouse: WarehouseResource
) -> Iterator[dg.AssetCheckResult]:
    """Run the query of every chart as bi_reader, and look for rows."""
    with retries.as_dagster_failure(), warehouse.connect() as connection:
        window = unsealed_window_of(context, connection)
        outcomes = _outcomes(warehouse, window)
        record(connection, outcomes, build_id=context.run.run_id, window=window)
        failing = failing_days(connection, outside=window)
    yield from asset_checks.results(outcomes, context.selected_asset_check_keys, failing)
